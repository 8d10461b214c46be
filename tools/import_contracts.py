"""An import-linter contract that gives every third-party package the rooms that may import it.

One table says what dozens of "forbidden" contracts would: a package that is not in it may not
be imported at all, so a new dependency is a decision, not an accident.
"""

from __future__ import annotations

import sys

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class HomesContract(Contract):
    """`homes` holds lines of "package: room, room"; `everywhere` lists packages that every room may use."""

    type_name = "homes"

    homes = fields.ListField(subfield=fields.StringField())
    everywhere = fields.SetField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002
        """Compare every import of a third party with the table; a line that nothing uses is wrong too."""
        root = self.session_options["root_packages"][0]
        allowed = _table(self.homes, root)
        strays, used = [], set()
        for importer, package in _third_party_imports(graph, root):
            used.add(package)
            if package not in self.everywhere and not _is_within(importer, allowed.get(package, ())):
                strays.append(f"{importer} imports {package}")
        idle = [f"the table names {package}, which nothing imports" for package in sorted(set(allowed) - used)]
        return ContractCheck(kept=not strays and not idle, metadata={"messages": sorted(strays) + idle})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line for each stray import."""
        for message in check.metadata["messages"]:
            output.print_error(f"  {message}")


def _table(lines: list[str], root: str) -> dict[str, tuple[str, ...]]:
    rows = (line.partition(":") for line in lines)
    return {package.strip(): tuple(f"{root}.{room.strip()}" for room in rooms.split(",")) for package, _, rooms in rows}


def _third_party_imports(graph: ImportGraph, root: str) -> list[tuple[str, str]]:
    return [
        (importer, imported.partition(".")[0])
        for importer in graph.modules
        if importer.partition(".")[0] == root
        for imported in graph.find_modules_directly_imported_by(importer)
        if imported.partition(".")[0] not in {root, *sys.stdlib_module_names}
    ]


def _is_within(module: str, rooms: tuple[str, ...]) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)
