"""A project's own modules, imported as its release has kept them.

What is in the project's directory may be edited, half saved or gone by the time that a worker is
started again. So the release's copies are imported, under the names of the author's files:
`__file__`, tracebacks and data that lies beside a module are as they always were.
"""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from importlib.util import cache_from_source, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

_SUFFIXES = (*EXTENSION_SUFFIXES, *SOURCE_SUFFIXES)
"""In the order in which Python looks for them."""


def import_from(project: Path, files: Mapping[str, str], kept: Path) -> None:
    """From now on import the project's modules as they were sealed.

    `files` gives digests by path in the project, `kept` is the directory of the contents by digest.
    What the project holds and a release does not, such as a virtual environment, is found as ever.
    """
    sys.path_hooks.insert(0, SealedModules(project, files, kept))
    sys.path_importer_cache.clear()


class SealedModules:
    """Finds modules in the directories of a project: an entry of `sys.path_hooks`."""

    def __init__(self, project: Path, files: Mapping[str, str], kept: Path) -> None:
        root = Path(os.path.realpath(project))
        self._copies = {str(root / path): str(kept / digest) for path, digest in files.items()}
        self._directories = {str(root), *(str(root / above) for path in files for above in Path(path).parents)}

    def __call__(self, path: str) -> _Directory:
        """The finder for a directory. Raises ImportError when it is another hook's, as hooks do."""
        directory = os.path.realpath(path)
        if directory not in self._directories:
            raise ImportError(f"{path} is no directory of the release")
        return _Directory(directory, self._copies, self._directories)


class _Directory:
    """The sealed modules of one directory (importlib's `PathEntryFinder`)."""

    def __init__(self, directory: str, copies: Mapping[str, str], directories: set[str]) -> None:
        self._directory = directory
        self._copies = copies
        self._directories = directories

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:  # noqa: ARG002
        """A package before a module of the same name; None when neither was sealed here."""
        base = os.path.join(self._directory, fullname.rpartition(".")[2])
        for suffix in _SUFFIXES:
            if (package := os.path.join(base, f"__init__{suffix}")) in self._copies:
                return self._spec(fullname, package, [base])
        for suffix in _SUFFIXES:
            if f"{base}{suffix}" in self._copies:
                return self._spec(fullname, f"{base}{suffix}", None)
        return self._unsealed(fullname, base)

    def iter_modules(self, prefix: str = "") -> Iterator[tuple[str, bool]]:
        """What `pkgutil.iter_modules` asks a finder for: names, and whether each is a package."""
        here = os.path.join(self._directory, "")
        for path in sorted(path for path in self._copies if path.startswith(here)):
            first, _, rest = path.removeprefix(here).partition("/")
            if not rest and first.endswith(_SUFFIXES) and not first.startswith("__init__."):
                yield prefix + first.partition(".")[0], False
            elif rest.startswith("__init__.") and rest.endswith(_SUFFIXES):
                yield prefix + first, True

    def invalidate_caches(self) -> None:
        """There are none: what was sealed never changes."""

    def _spec(self, fullname: str, path: str, locations: list[str] | None) -> ModuleSpec | None:
        copy, native = self._copies[path], path.endswith(tuple(EXTENSION_SUFFIXES))
        loader = ExtensionFileLoader(fullname, copy) if native else _Loader(fullname, path, copy)
        return spec_from_file_location(fullname, path, loader=loader, submodule_search_locations=locations)

    def _unsealed(self, fullname: str, base: str) -> ModuleSpec | None:
        """A directory without modules of its own is part of a namespace package; one that a link leads to is live."""
        if os.path.islink(base):
            return FileFinder(self._directory, (SourceFileLoader, SOURCE_SUFFIXES)).find_spec(fullname)
        if not os.path.isdir(base) and base not in self._directories:
            return None
        namespace = ModuleSpec(fullname, None, is_package=True)
        namespace.submodule_search_locations = [base]
        return namespace


class _Loader(SourceFileLoader):
    """Loads a module's copy under the path of the author's file; what is compiled is kept beside the copy."""

    def __init__(self, fullname: str, path: str, copy: str) -> None:
        super().__init__(fullname, path)
        self._copies = {path: copy, cache_from_source(path): cache_from_source(copy)}

    def exec_module(self, module: ModuleType) -> None:
        """Import it. Its lines are remembered, so that a traceback shows those that ran."""
        source = self.get_source(module.__name__) or ""
        linecache.cache[self.path] = (len(source), None, source.splitlines(keepends=True), self.path)
        super().exec_module(module)

    def path_stats(self, path: str) -> Mapping[str, float]:
        return super().path_stats(self._copy(path))

    def get_data(self, path: str) -> bytes:
        return super().get_data(self._copy(path))

    def set_data(self, path: str, data: Any, *, _mode: int = 0o600) -> None:
        super().set_data(self._copy(path), data, _mode=_mode)

    def _copy(self, path: str) -> str:
        """Where the content of a path is: other files beside a module are nobody's but the author's."""
        return self._copies.get(path, path)
