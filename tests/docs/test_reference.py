"""The pages that are written from the code say what the code says now."""

from __future__ import annotations

import subprocess
import sys

from support.snippets import ROOT


def test_reference_is_current() -> None:
    checked = subprocess.run(
        [sys.executable, "tools/reference.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
