"""Everything that may be wrong with a service written in Python: a code that is stable for ever, a message, a remedy.

`{function}` is the name of the function at fault and `{parameter}` that of one of its parameters;
other words are given where the mistake is found.
"""

from __future__ import annotations

from typing import NamedTuple

BAD_NAME = "E801"
"""A name that no protocol could carry."""
DUPLICATE_OPERATION = "E802"
"""Two operations of one name."""
UNANNOTATED = "E803"
"""A parameter or a result without a type."""
UNKNOWN_NAME = "E804"
"""An annotation names something that does not exist."""
UNSUPPORTED_TYPE = "E805"
"""A type that cannot travel and that no resource provides."""
UNSUPPORTED_PARAMETER = "E806"
"""A form of parameter that has no name on a wire: `*args`, `**kwargs`, positional only."""
BAD_DEFAULT = "E807"
"""A default that is not of its parameter's type."""
UNKNOWN_TEMPLATE_NAME = "E808"
"""A path template names no parameter."""
BAD_STREAM = "E809"
"""Streams that one function cannot take or give."""
BAD_FAULT = "E810"
"""A declared fault that is none, or that differs from another of its name."""
BAD_OPTION = "E811"
"""An option of a decorator, a marker or the service that does not exist, or is not what it takes."""
BAD_PATH = "E812"
"""A path that is no path template."""
BAD_RESOURCE = "E820"
"""A resource that is not a generator of one annotated type."""
DUPLICATE_RESOURCE = "E821"
"""Two resources of one type."""
MISSING_RESOURCE = "E822"
"""A resource needs what nothing provides, or what lives shorter than it."""
CIRCULAR_RESOURCE = "E823"
"""Resources that wait for each other."""
BAD_LINK = "E830"
"""A link whose type, field, operation or arguments do not exist, or do not fit each other."""


class Mistake(NamedTuple):
    """What is said of one kind of mistake."""

    code: str
    message: str
    remedy: str


# Names and options

UNFIT_NAME = Mistake(
    BAD_NAME,
    "operation `{name}` cannot be called so in every protocol",
    "An operation's name is a Python identifier.",
)
UNFIT_IN_ADDRESS = Mistake(BAD_NAME, "{option}={value} cannot stand in an address", "{remedy}")
SAME_NAME = Mistake(
    DUPLICATE_OPERATION,
    "there are two operations `{name}`; the other one is at {other}",
    "Rename the function, or give one of them `name=`.",
)
SAID_OTHERWISE = Mistake(
    BAD_OPTION,
    "`{name}`: `bindings` say {pointer} otherwise than the decorator or the signature",
    "Leave to `bindings` what these have no word for.",
)
UNFIT_OPTION = Mistake(BAD_OPTION, "`{owner}`: {option}={value} is not what this option takes", "{remedy}")
NO_SUCH_OPTION = Mistake(BAD_OPTION, "`{owner}`: there is no option `{option}`", "{remedy}")

# Parameters and results

NO_NAME_ON_A_WIRE = Mistake(
    UNSUPPORTED_PARAMETER,
    "`{function}` takes `{form}`, which has no name that a caller could use",
    "Name every parameter, and take a dict or a list where their number varies.",
)
NO_TYPE = Mistake(
    UNANNOTATED, "parameter `{parameter}` of `{function}` has no type", "Annotate it: `{parameter}: int`."
)
NO_RESULT_TYPE = Mistake(
    UNANNOTATED,
    "`{function}` does not say what it returns",
    "Annotate the result: `-> Product`, `-> None` if there is none, `-> Product | Reply` where headers go with it.",
)
UNREADABLE_ANNOTATION = Mistake(
    UNKNOWN_NAME,
    "an annotation of `{function}` cannot be read: {error}",
    "Import or define the name in the module, at its top level.",
)
NO_SHAPE = Mistake(UNSUPPORTED_TYPE, "{subject} of `{function}`: {error}", "{remedy}")
WRONG_DEFAULT = Mistake(
    BAD_DEFAULT,
    "the default {default} of parameter `{parameter}` is not of its type",
    "Give a default of the type, or add `| None` to it.",
)
MARKER_AS_DEFAULT = Mistake(
    BAD_DEFAULT,
    "the default of parameter `{parameter}` is a marker, which says where a value comes from and not what it is",
    "Write {annotation}.",
)
MARKER_WITHOUT_NAME = Mistake(
    BAD_OPTION,
    "the marker of parameter `{parameter}` has the name {name}, which is no text",
    "A marker takes a name on the wire; a default is the function's: write {annotation}.",
)
SORTED_BY_NOTHING = Mistake(
    BAD_OPTION,
    "parameter `{parameter}` of `{function}` sorts by `{name}`, which the items do not have",
    "{remedy}",
)
MARK_NOT_MADE = Mistake(
    BAD_OPTION,
    "`{mark}` at {where} has no effect: it is a class, and not a mark of it",
    "Write `{mark}()`.",
)
UNFIT_EXAMPLE = Mistake(
    BAD_OPTION,
    "`{function}`: the {part} of {example} does not fit: `{pointer}` {problem}",
    "Write the {part} of a call as it is in JSON.",
)
MARKER_OF_NO_INPUT = Mistake(
    BAD_OPTION,
    "`{mark}` at parameter `{parameter}` of `{function}` has no effect: no caller gives that parameter",
    "Leave it out, or annotate the parameter as what a caller gives.",
)
MARKER_INSIDE = Mistake(
    BAD_OPTION,
    "`{mark}` of parameter `{parameter}` of `{function}` has no effect inside a type",
    "Write it around the whole: `{parameter}: Annotated[list[int], Query()]`.",
)
MARKER_AFTER_ANOTHER = Mistake(
    BAD_OPTION,
    "`{mark}` of parameter `{parameter}` of `{function}` has no effect: `{other}` stands before it",
    "Leave one of the two out.",
)
MARK_OF_A_RESULT = Mistake(
    BAD_OPTION,
    "`{mark}` at the result of `{function}` has no effect",
    "Leave it out: it belongs to a parameter, and `Version()` and `Cursor()` to fields of what is answered, too.",
)
MARK_OF_A_FIELD = Mistake(
    BAD_OPTION,
    "`{mark}` at the field `{field}` of `{type}` has no effect: it belongs to a parameter",
    "Leave it out, or make the field a parameter of the function.",
)
MARKED_TWICE = Mistake(
    BAD_OPTION,
    "`{mark}` of `{parameter}` of `{function}` has no effect: `{other}` is marked so before it",
    "Leave one of the two out.",
)
PAGE_OF_NOTHING = Mistake(
    BAD_OPTION,
    "`{mark}` of parameter `{parameter}` of `{function}` has no effect: the function answers with no {answer}",
    "{remedy}",
)
VERSION_ASKED = Mistake(
    BAD_OPTION,
    "`{mark}` of parameter `{parameter}` of `{function}` has no effect: it marks a field of what is answered",
    "Leave it out; a parameter of type `Conditions` tells which version the caller wants to change.",
)
NO_CONDITIONS = Mistake(
    BAD_OPTION,
    "parameter `{parameter}` of `{function}` is always empty: the conditions of a safe operation are compared with the"
    " version that it answers, and never reach it",
    "Leave it out, and mark that field of what is answered with `Version()`.",
)
TWO_STREAMS = Mistake(
    BAD_STREAM,
    "`{function}` takes two streams, but a call brings one",
    "Join them in one stream of a union, or make two operations.",
)
READ_BY_A_PLAIN_FUNCTION = Mistake(
    BAD_STREAM, "`{function}` takes a stream, which only an `async def` can read", "Write `async def {function}`."
)
YIELDS_UNSAID = Mistake(
    BAD_STREAM,
    "`{function}` yields, but its result is not annotated as a stream",
    "Annotate the result as `AsyncIterator[T]`, or `Iterator[T]` for a plain generator.",
)

# Faults

NO_FAULT = Mistake(
    BAD_FAULT,
    "`{function}` declares {fault}, which is not a class of faults",
    "List classes that derive from `Fault`.",
)
UNFIT_DATA = Mistake(BAD_FAULT, "the data of fault `{fault}`: {error}", "{remedy}")
SAME_FAULT = Mistake(
    BAD_FAULT,
    "`{function}` declares another fault `{fault}` than an operation before it",
    "Rename one of the classes.",
)

# HTTP

NO_PATH = Mistake(
    BAD_PATH,
    "{path} is not a path",
    "Begin it with a slash, close every brace, and declare what follows a `?` as parameters.",
)
NO_SUCH_PARAMETER = Mistake(
    UNKNOWN_TEMPLATE_NAME,
    "the path {path} names `{{{name}}}`, but `{function}` has no such parameter",
    "Add a parameter `{name}`, or take `{{{name}}}` out of the path.",
)
CONVERTER = Mistake(
    UNKNOWN_TEMPLATE_NAME,
    "the path {path} names `{{{name}}}`, but `{function}` has no such parameter",
    "Write `{{{plain}}}`: the parameter's type tells what it may be, and it takes one segment.",
)
MANY_SEGMENTS = Mistake(
    UNKNOWN_TEMPLATE_NAME,
    "the path {path} has the variable `{{{name}}}`, but a variable takes one segment",
    "Take the rest as a query parameter; to pass on whatever is below a path, use `routes` in entrepot.yaml.",
)

CACHED_CHANGE = Mistake(
    BAD_OPTION,
    "`{function}` says `cache_control`, but a {method} changes something, and no cache may answer it",
    "Leave it out, or make the operation a GET.",
)
NOTHING_TO_EXPAND = Mistake(
    BAD_OPTION,
    "`{function}` says expand=True, but no link leads from what it answers",
    'Declare one, `service.link(Book, "author", operation=author, arguments={{"id": "author_id"}})`, or leave'
    " `expand` out.",
)
NOT_FOLLOWED = Mistake(
    BAD_OPTION,
    "`{function}` says expand=True, but its link `{link}` is not followed: `{operation}` changes something, streams, or"
    " answers with a file",
    "Let the link lead to a safe operation, a GET, that answers with a plain value, or leave `expand` out.",
)
NOTHING_TO_CHOOSE = Mistake(
    BAD_OPTION,
    "`{function}` says fields=True, but what it answers has no fields",
    "Leave it out, or answer with a record, or a list or page of them.",
)

# Resources

NO_GENERATOR = Mistake(
    BAD_RESOURCE,
    "`{function}` must be a generator whose parameters and result have types",
    "Write `async def {function}() -> AsyncIterator[Session]:` and yield one session.",
)
PROVIDED_TWICE = Mistake(
    DUPLICATE_RESOURCE,
    "`{function}` and `{other}` both provide `{type}`",
    "Leave one of them out, or give them types of their own.",
)
NOT_PROVIDED = Mistake(
    MISSING_RESOURCE,
    "parameter `{parameter}` of `{function}` asks for `{type}`, which no resource provides",
    "Add a resource that yields `{type}`.",
)
LIVES_SHORTER = Mistake(
    MISSING_RESOURCE,
    "`{function}` lives as long as the application, but needs `{type}`, which lives for one call",
    'Make `{function}` a resource of scope "call", or the other one of scope "application".',
)
CIRCLE = Mistake(CIRCULAR_RESOURCE, "these resources wait for each other: {names}", "Take one of the parameters out.")

# Links

LEADS_NOWHERE = Mistake(
    BAD_LINK,
    "link `{link}`: {problem}",
    "Name an operation, its parameters, and the fields of a record that it is from.",
)
LINK_LEAVES_OUT = Mistake(
    BAD_LINK,
    "link `{link}`: `{operation}` needs the parameter `{parameter}`, which is not given",
    "Say in `arguments` which field `{parameter}` is, or give the parameter a default.",
)
LINK_DOES_NOT_FIT = Mistake(
    BAD_LINK,
    "link `{link}`: `{source}` of `{type}` is `{given}`, and `{parameter}` of `{operation}` takes `{taken}`",
    "Name a field of the parameter's type, or change one of the two types.",
)
BATCH_OF_NO_LIST = Mistake(
    BAD_LINK,
    "link `{link}`: with batch=True one call serves many values, but `{parameter}` of `{operation}` takes `{taken}`",
    "Annotate `{parameter}` as a list, or leave batch=True out.",
)
