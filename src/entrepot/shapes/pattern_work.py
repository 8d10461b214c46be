"""How much work a regular expression may make, found out before any text is matched.

Python's matcher tries one way after another. A pattern under which some text can be taken in many
ways is tried in all of them before that text is refused: for `^(a+)+$` they are exponentially many,
for `^a*a*$` as many as the text is long. The ways are counted in the pattern's position automaton
(Glushkov's), by walking it twice side by side: Weber and Seidl, "On the degree of ambiguity of finite
automata" (1991). What is counted is never too little; sometimes it is too much.
"""

from __future__ import annotations

import collections
import functools
import importlib
import itertools
import math
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

# The matcher's own parser: a second one might read a pattern otherwise than it is matched. It is no public
# part of Python and has no types; what is used of it has been there under these names since `sre_parse`.
_parser: Any = importlib.import_module("re._parser")
_codes: Any = importlib.import_module("re._constants")

_POSITIONS_MAX = 2000
_STEPS_MAX = 500_000
Characters = tuple[tuple[int, int], ...]
"""Ranges of code points, both ends included, in order."""
_States = tuple[int, ...]
_ALL: Characters = ((0, 0x10FFFF),)
_CATEGORIES: dict[Any, Characters] = {
    _codes.CATEGORY_DIGIT: ((48, 57),),
    _codes.CATEGORY_SPACE: ((9, 13), (32, 32)),
    _codes.CATEGORY_WORD: ((48, 57), (65, 90), (95, 95), (97, 122)),
}
_NEGATED = {
    _codes.CATEGORY_NOT_DIGIT: _codes.CATEGORY_DIGIT,
    _codes.CATEGORY_NOT_SPACE: _codes.CATEGORY_SPACE,
    _codes.CATEGORY_NOT_WORD: _codes.CATEGORY_WORD,
}
_REPEATS = {_codes.MAX_REPEAT, _codes.MIN_REPEAT, _codes.POSSESSIVE_REPEAT}
_ONE_CHARACTER = {_codes.LITERAL, _codes.NOT_LITERAL, _codes.ANY, _codes.IN}
_BEGINNINGS = {_codes.AT_BEGINNING, _codes.AT_BEGINNING_STRING}


class Uncountable(ValueError):
    """The pattern has a construct whose ways are not counted; the message names it."""


@functools.lru_cache(maxsize=1024)
def ways(pattern: str, length_max: int | None) -> float:
    """In how many ways a text of at most this many characters may be taken; infinite where nothing bounds them.

    `pattern` is in Python's grammar, with `(?a)` before it, and is searched for. Matching takes
    about as many steps for each character of the text. Raises `Uncountable`.
    """
    items = list(_parser.parse(pattern))
    automaton = _Automaton(math.inf if length_max is None else length_max)
    automaton.build(_without_tail(items), anchored=_is_anchored(items))
    return automaton.ways()


class _Part(NamedTuple):
    """A part of the pattern by its positions: where it may begin and end; one stands there once for each way to it."""

    first: _States = ()
    last: _States = ()
    empty: int = 1
    """In how many ways it takes no character, as far as it matters: none, one, several."""


class _Automaton:
    """A state for each place in the pattern where one character is taken; 0 is the state before the first."""

    def __init__(self, length_max: float) -> None:
        self._length_max = length_max
        self._characters: list[Characters] = [_ALL]
        self._next: list[dict[int, int]] = [{}]
        """For each state, the states after it, and in how many ways each is come to."""
        self._times: list[float] = [length_max]
        """How often each state may be passed in one match."""
        self._steps = 0

    def build(self, items: list[Any], *, anchored: bool) -> None:
        if not anchored:
            self._join((0,), (0,))  # a search may begin at any character
        self._join((0,), self._sequence(items, 1).first)

    def ways(self) -> float:
        """The product of the choices that one text may leave open, on the worst way through."""
        if self._has_exponential_loop():
            return math.inf
        forks = self._forks()
        open_after = {b: {a for a, _ in forks if a == b or a in self._reached[b]} for _, b in forks}

        @functools.cache
        def worst(state: int | None) -> float:
            """From the end of one fork, or from the beginning."""
            still_open = forks if state is None else [fork for fork in forks if fork[0] in open_after[state]]
            return max((self._choices(a, b) * worst(b) for a, b in still_open), default=1.0)

        return worst(None)

    def _choices(self, a: int, b: int) -> float:
        return min(self._times[a] + 1, self._times[b] + 1, self._length_max)

    def _has_exponential_loop(self) -> bool:
        """Whether some text leads from a state back to it in two ways."""
        backwards = _reversed(self._pairs)
        for state in self._loops:
            if any(count > 1 and state in self._reached[other] | {other} for other, count in self._next[state].items()):
                return True
            here: _States = (state, state)
            there: set[_States] = _reached(here, self._pairs)
            back: set[_States] = _reached(here, backwards)
            if any(a != b for a, b in there & back):
                return True
        return False

    def _forks(self) -> list[_States]:
        """The pairs of states between which the same text may move on sooner or later."""
        found: list[_States] = []
        for a in self._loops:
            for _, b in (pair for pair in _reached((a, a), self._pairs) if pair[0] == a != pair[1]):
                if b in self._loops and (a, b, b) in self._reached_together((a, a, b)):
                    found.append((a, b))
        return found

    @functools.cached_property
    def _reached(self) -> dict[int, set[int]]:
        one_by_one = dict(enumerate(self._next))
        return {state: _reached(state, one_by_one) for state in one_by_one}

    @functools.cached_property
    def _loops(self) -> list[int]:
        return [state for state, reached in self._reached.items() if state in reached]

    @functools.cached_property
    def _pairs(self) -> dict[_States, list[_States]]:
        """The pairs of states that one text leads to from one that it may come back to, and what follows each."""
        found: set[_States] = {(state, state) for state in self._loops}
        for state in self._loops:
            found |= self._reached_together((state, state))
        return {pair: list(self._after(pair)) for pair in found}

    def _reached_together(self, start: _States) -> set[_States]:
        found: set[_States] = set()
        pending = [start]
        while pending:
            new = set(self._after(pending.pop())) - found
            found |= new
            pending.extend(new)
        return found

    def _after(self, states: _States) -> Iterator[_States]:
        """Where one more character may lead to, the same for all of the states."""
        self._steps += math.prod(len(self._next[state]) for state in states)
        if self._steps > _STEPS_MAX:
            raise Uncountable("it is too long, or too entangled, to count the ways in which it takes a text")
        for others in itertools.product(*(self._next[state] for state in states)):
            if functools.reduce(_common, (self._characters[other] for other in others)):
                yield others

    # Building

    def _sequence(self, items: Iterable[Any], times: float) -> _Part:
        return self._in_order(self._item(item, times) for item in items)

    def _in_order(self, parts: Iterable[_Part]) -> _Part:
        whole = _Part()
        for part in parts:
            self._join(whole.last, part.first)
            whole = _Part(
                _at_most_twice(whole.first + part.first * whole.empty),
                _at_most_twice(part.last + whole.last * part.empty),
                min(whole.empty * part.empty, 2),
            )
        return whole

    def _item(self, item: tuple[Any, Any], times: float) -> _Part:
        code, argument = item
        if code in _ONE_CHARACTER:
            return self._position(_characters(code, argument), times)
        if code in _REPEATS:
            return self._repeat(argument, times)
        if code is _codes.SUBPATTERN:
            _, flags, without_flags, items = argument
            if flags or without_flags:
                raise Uncountable("it changes flags on its way")
            return self._sequence(items, times)
        if code is _codes.ATOMIC_GROUP:
            return self._sequence(argument, times)
        if code is _codes.BRANCH:
            arms = [self._sequence(arm, times) for arm in argument[1]]
            first = tuple(state for arm in arms for state in arm.first)
            last = tuple(state for arm in arms for state in arm.last)
            return _Part(first, last, min(sum(arm.empty for arm in arms), 2))
        if code is _codes.FAILURE:
            return self._position((), times)
        if code in (_codes.ASSERT, _codes.ASSERT_NOT) and argument[0] > 0:
            # What looks ahead is gone through from here and leads nowhere.
            return self._sequence(argument[1], times)._replace(last=(), empty=1)
        if code in (_codes.AT, _codes.ASSERT, _codes.ASSERT_NOT):
            return _Part()
        raise Uncountable("it refers back to a group")

    def _repeat(self, argument: Any, times: float) -> _Part:
        low, high, items = argument
        most = math.inf if high is _codes.MAXREPEAT else int(high)
        if len(items) == 1 and items[0][0] in _ONE_CHARACTER:
            return self._repeat_character(_characters(*items[0]), low, most, times)
        part = self._sequence(items, times * most)
        if most > 1:
            if part.empty:
                raise Uncountable("it repeats what may be empty")
            self._join(part.last, part.first)
        return part._replace(empty=min(part.empty + (not low), 2))

    def _repeat_character(self, characters: Characters, low: int, most: float, times: float) -> _Part:
        parts = [self._position(characters, times) for _ in range(low)]
        if most > low:
            loop = self._position(characters, (most - low) * times)
            self._join(loop.last, loop.first)
            parts.append(loop._replace(empty=1))
        return self._in_order(parts)

    def _position(self, characters: Characters, times: float) -> _Part:
        state = len(self._characters)
        if state > _POSITIONS_MAX:
            raise Uncountable("it is too long")
        self._characters.append(characters)
        self._next.append({})
        self._times.append(times)
        return _Part((state,), (state,), empty=0)

    def _join(self, states: _States, after: _States) -> None:
        for state in states:
            for other in after:
                self._next[state][other] = self._next[state].get(other, 0) + 1


def _at_most_twice(states: _States) -> _States:
    counts = collections.Counter(states)
    return tuple(state for state, count in counts.items() for _ in range(min(count, 2)))


# Characters


def _characters(code: Any, argument: Any) -> Characters:
    if code is _codes.LITERAL:
        return ((argument, argument),)
    if code is _codes.NOT_LITERAL:
        return _all_but(((argument, argument),))
    if code is _codes.ANY:
        return _all_but(((10, 10),))
    negated = argument[0][0] is _codes.NEGATE
    found = _merged(one for item in argument[negated:] for one in _listed(*item))
    return _all_but(found) if negated else found


def _listed(code: Any, argument: Any) -> Characters:
    if code is _codes.RANGE:
        return (argument,)
    if code is _codes.CATEGORY:
        return _CATEGORIES[argument] if argument in _CATEGORIES else _all_but(_CATEGORIES[_NEGATED[argument]])
    return ((argument, argument),)


def _merged(ranges: Iterable[tuple[int, int]]) -> Characters:
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return tuple(found)


def _all_but(ranges: Characters) -> Characters:
    edges = [-1, *itertools.chain.from_iterable(ranges), _ALL[0][1] + 1]
    gaps = zip(edges[::2], edges[1::2], strict=True)
    return tuple((low + 1, high - 1) for low, high in gaps if low + 1 <= high - 1)


@functools.lru_cache(maxsize=4096)
def _common(ones: Characters, others: Characters) -> Characters:
    both = ((max(a, c), min(b, d)) for a, b in ones for c, d in others)
    return tuple((low, high) for low, high in both if low <= high)


# The pattern's ends


def _is_anchored(items: Iterable[Any]) -> bool:
    """Whether it can only match from the beginning of a text."""
    for code, argument in items:
        if code is _codes.SUBPATTERN:
            return _is_anchored(argument[3])
        if code is _codes.BRANCH:
            return all(map(_is_anchored, argument[1]))
        return code is _codes.AT and argument in _BEGINNINGS
    return False


def _without_tail(items: list[Any]) -> list[Any]:
    """The pattern without what a match may end with but need not: nothing can fail behind it."""
    if not items:
        return items
    *before, (code, argument) = items
    if code in _REPEATS and len(argument[2]) == 1 and argument[2][0][0] in _ONE_CHARACTER:
        low, _, character = argument
        return [*before, (code, (low, low, character))] if low else _without_tail(before)
    if code is _codes.SUBPATTERN:
        return [*before, (code, (*argument[:3], _without_tail(list(argument[3]))))]
    return items


# Graphs

_Node = TypeVar("_Node", bound=Hashable)


def _reached(start: _Node, graph: Mapping[_Node, Iterable[_Node]]) -> set[_Node]:
    """The nodes after this one, itself only if it comes back."""
    found: set[_Node] = set()
    pending = [start]
    while pending:
        for node in graph[pending.pop()]:
            if node not in found:
                found.add(node)
                pending.append(node)
    return found


def _reversed(graph: Mapping[_Node, Iterable[_Node]]) -> dict[_Node, list[_Node]]:
    found: dict[_Node, list[_Node]] = {node: [] for node in graph}
    for node, after in graph.items():
        for other in after:
            found[other].append(node)
    return found
