"""The faults that an operation declares, from the author's classes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from entrepot.authoring import mistakes
from entrepot.authoring.diagnostics import Diagnostics
from entrepot.model.fault import DeclaredFault, Fault
from entrepot.model.shape import File, Shape, reachable
from entrepot.shapes.class_fields import NoShape
from entrepot.shapes.reflect import Reflector


class FaultReader:
    """Reads the faults of one service; a fault's name means one thing in the whole of it."""

    def __init__(self, reflector: Reflector, found: Diagnostics) -> None:
        self._reflector = reflector
        self._found = found
        self._first: dict[str, type[Fault]] = {}

    def read(self, faults: Iterable[Any], function: Callable[..., Any]) -> tuple[DeclaredFault, ...]:
        """The faults that the function declares; what is wrong with the others is noted."""
        return tuple(self._read(fault, function) for fault in faults if self._is_sound(fault, function))

    def _is_sound(self, fault: Any, function: Callable[..., Any]) -> bool:
        if not (isinstance(fault, type) and issubclass(fault, Fault)):
            self._found.add(mistakes.NO_FAULT, function, fault=repr(fault))
            return False
        if fault.name and self._first.setdefault(fault.name, fault) is not fault:
            self._found.add(mistakes.SAME_FAULT, function, fault=fault.name)
        return True

    def _read(self, fault: type[Fault], function: Callable[..., Any]) -> DeclaredFault:
        data = None if fault.Data is None else self._data(fault, function)
        own_docs = inspect.getdoc(fault) if fault.__doc__ else None
        return DeclaredFault(name=fault.name, kind=fault.kind, data=data, docs=own_docs or "")

    def _data(self, fault: type[Fault], function: Callable[..., Any]) -> Shape | None:
        try:
            data = self._reflector.shape(fault.Data)
            if any(isinstance(part, File) for part in reachable(data, self._reflector.types)):
                raise NoShape("a file cannot stand beside a failure, which is written as one value", "Leave it out.")
        except NoShape as error:
            self._found.add(
                mistakes.UNFIT_DATA, function, fault=fault.__name__, error=error.problem, remedy=error.remedy
            )
            return None
        return data
