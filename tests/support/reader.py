"""A reader who does what a page says, in order.

- `python`: a block that begins with `# NAME.py` is saved under that name; the others of a page
  are one program, run at the end.
- `yaml`: a block that begins with `# NAME.yaml` is saved; every block must be a declaration, or some keys of one.
- `sh`: `entrepot dev`, `entrepot serve`, `make demo` and scripts that serve are started and stay;
  of every other command it is checked that it exists.
- `console`: commands after `$` are run and must print the lines below them; `...` is anything.

Ports that pages name are replaced by free ones, in commands and files, and back in what is printed.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import click

from entrepot.app import CATALOG
from entrepot.cli.main import entrepot
from entrepot.kit.diagnostics import Refused
from entrepot.ports.protocol import document_words
from entrepot.spec.codes import VERSION_UNSAID
from entrepot.spec.load import DECLARATION_FILE, load
from support.running import EXAMPLES, ROOT, free_port, running_project
from support.snippets import Snippet

PORTS = ("8080", "9001", "9002")
BIN = Path(sys.executable).parent
_DESCRIBE = """
for value in list(vars().values()):
    if isinstance(value, Service):
        value.describe()
"""
"""At the end of a page's program: every service it declares is read."""


class Reader:
    """Follows one page in a directory of its own, which has the examples in it."""

    def __init__(self, page: Path, directory: Path, stack: ExitStack) -> None:
        self.directory = directory.resolve()
        self.stack = stack
        self.server = stack.enter_context(ExitStack())
        self.ports = {port: str(free_port()) for port in PORTS}
        self.program: list[Snippet] = []
        ignore = shutil.ignore_patterns(".entrepot", "__pycache__")
        shutil.copytree(EXAMPLES, directory / "examples", ignore=ignore)
        for file in (directory / "examples").rglob("*.yaml"):
            file.write_text(self.ours(file.read_text()))
        self.examples = self.directory / "examples"
        if page.parent.parent == EXAMPLES:
            self.directory = self.examples / page.parent.name

    def follow(self, snippet: Snippet) -> None:
        """Do what one block says."""
        if snippet.file:
            (self.directory / snippet.file).write_text(self.ours(snippet.text))
        match snippet.language:
            case "python" if not snippet.file:
                self.program.append(snippet)
            case "yaml":
                wrong = _wrong_in(snippet.text)
                assert wrong == [], f"{snippet}: {wrong}"
            case "sh":
                for line in snippet.text.replace("\\\n", " ").splitlines():
                    self._start_or_check(line, snippet)
            case "console":
                for command, expected in _exchanges(snippet.text):
                    self._compare(command, expected, snippet)

    def finish(self) -> None:
        """Run the page's program; its line numbers are the page's."""
        if self.program:
            lines: list[str] = []
            for snippet in self.program:
                lines += [""] * (snippet.line - len(lines)) + snippet.text.splitlines()
            program = self.directory / "page.py"
            program.write_text("\n".join([*lines, _DESCRIBE]))
            ran = self._run([sys.executable, str(program)])
            assert ran.returncode == 0, f"{self.program[0].page}: {ran.stdout}"

    def ours(self, text: str) -> str:
        """The text with the ports that are free here."""
        return re.sub(r"\b(8080|9001|9002)\b", lambda match: self.ports[match[1]], text)

    def _theirs(self, text: str) -> str:
        for shown, used in self.ports.items():
            text = text.replace(used, shown)
        return text

    def _start_or_check(self, line: str, snippet: Snippet) -> None:
        words = shlex.split(line, comments=True)
        match words:
            case []:
                return
            case ["entrepot", "dev" | "serve" as command, *arguments]:
                self._serve(command, arguments)
            case ["make", "demo", *_]:
                self._serve("dev", [str(self.examples / "shop")])
            case ["python", script, *arguments]:
                self._start_script(script, arguments)
            case ["make", *targets]:
                known = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
                assert {word for word in targets if "=" not in word} <= set(known), f"{snippet}: {line}"
            case ["entrepot", command, *arguments]:
                assert _is_known(command, arguments), f"{snippet}: {line}"

    def _serve(self, command: str, arguments: list[str]) -> None:
        self.server.close()
        target, *options = arguments or ["."]
        project = self.directory / target
        self.server.enter_context(
            running_project(project, *map(self.ours, options), command=command, port=int(self.ports["8080"]))
        )

    def _start_script(self, script: str, arguments: list[str]) -> None:
        arguments = [self.ours(word) for word in arguments if word != "&"]
        process = subprocess.Popen([sys.executable, script, *arguments], cwd=self.directory)
        self.stack.callback(process.wait)
        self.stack.callback(process.terminate)
        for port in arguments:
            _wait_for_port(int(port), process)

    def _compare(self, command: str, expected: str, snippet: Snippet) -> None:
        ran = self._run(["bash", "-c", self.ours(command)])
        printed = self._theirs(ran.stdout)
        assert _matches(expected, printed), f"{snippet}: {command}\nprinted:\n{printed}"

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}", "NO_COLOR": "1", "COLUMNS": "120"}
        return subprocess.run(
            command,
            cwd=self.directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )


def _wrong_in(declaration: str) -> list[str]:
    """What the loader has against it, in any of its environments. A fragment need not say its version."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / DECLARATION_FILE
        file.write_text(declaration)
        try:
            told = load(file, lambda: document_words(CATALOG)).diagnostics
        except Refused as refused:
            told = tuple(refused.diagnostics)
    return [str(each) for each in told if each.code != VERSION_UNSAID]


def _is_known(name: str, arguments: list[str]) -> bool:
    root = click.Context(entrepot, info_name="entrepot")
    command = entrepot.get_command(root, name)
    if command is None:
        return False
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    return {word.partition("=")[0] for word in arguments if word.startswith("-")} <= options


def _wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}")


def _exchanges(text: str) -> list[tuple[str, str]]:
    """Commands, which may go on over lines that end in a backslash, and what each prints."""
    exchanges = []
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        length = 1 + next(n for n, line in enumerate(lines) if not line.endswith("\\"))
        exchanges.append(("\n".join(lines[:length]), "\n".join(lines[length:])))
    return exchanges


def _matches(expected: str, printed: str) -> bool:
    pieces = [re.escape(piece) for piece in expected.strip().split("...")]
    return re.fullmatch(".*?".join(pieces), printed.replace("\r", "").strip(), re.DOTALL) is not None
