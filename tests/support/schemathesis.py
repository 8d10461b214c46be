"""Schemathesis, which takes an OpenAPI document at its word and knows nothing of Entrepôt."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CONFIG = Path(__file__).with_suffix(".toml")


def finds_nothing(url: str, directory: Path, *arguments: str) -> str:
    """Its report on the document at `url`; an AssertionError with the report when it found something."""
    program = str(Path(sys.executable).with_name("schemathesis"))
    usual = ("--checks=all", "--mode=all", "--continue-on-failure", "--seed=1", "--no-color")
    command = [program, f"--config-file={CONFIG}", "run", url, *usual, *arguments]
    ran = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=280, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
