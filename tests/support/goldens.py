"""Goldens: a project and what comes of it in one file.

A file begins with a remark and options (`mode: dev`, `environment: prod`, `pinned: yes`,
`without: NAME` for a Python package that is not installed, and `shows: envoy` for what Envoy is
given in the place of the release), then has sections: `--- file: NAME`
for what is given, `--- expect: NAME` for what must come of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_SECTION = re.compile(r"^--- (file|expect): (.+)$")
_OPTION = re.compile(r"^(mode|environment|pinned|target|without|shows): (.+)$")


@dataclass
class Golden:
    """One case."""

    path: Path
    remark: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    expected: dict[str, str] = field(default_factory=dict)

    def write_project(self, directory: Path) -> None:
        for name, content in self.files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def update(self, found: dict[str, str]) -> None:
        self.expected = found
        self.path.write_text(self._render())

    def _render(self) -> str:
        lines = [*self.remark, *(f"{name}: {value}" for name, value in self.options.items())]
        for kind, sections in (("file", self.files), ("expect", self.expected)):
            for name, content in sections.items():
                lines += [f"--- {kind}: {name}", content.removesuffix("\n")]
        return "\n".join(lines) + "\n"


def read_golden(path: Path) -> Golden:
    golden = Golden(path)
    section: list[str] | None = None
    contents: list[tuple[dict[str, str], str, list[str]]] = []
    for line in path.read_text().splitlines():
        heading = _SECTION.match(line)
        if heading:
            section = []
            contents.append((golden.files if heading[1] == "file" else golden.expected, heading[2], section))
        elif section is not None:
            section.append(line)
        elif option := _OPTION.match(line):
            golden.options[option[1]] = option[2]
        else:
            golden.remark.append(line)
    for sections, name, lines in contents:
        sections[name] = "".join(f"{line}\n" for line in lines)
    return golden
