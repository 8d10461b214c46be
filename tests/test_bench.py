"""The benchmark says what it lacks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.snippets import ROOT


def test_without_wrk_it_says_what_to_install(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "bench.run", "rest-one"],
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "bench: the load comes from wrk, which is not installed: apt-get install wrk\n"
