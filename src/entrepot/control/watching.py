"""Applying what is saved, as it is saved: `entrepot dev --watch`.

By looking, not by the system's notices: those differ from system to system, miss what a container's
or a network's file system changes, and would be one more dependency. A look at a thousand files takes a
hundredth of a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

from entrepot.compiler.own_files import own_modules
from entrepot.control.applying import Applied
from entrepot.control.building import Recipe
from entrepot.control.releases import Releases
from entrepot.kit.clock import Clock
from entrepot.kit.diagnostics import Refused
from entrepot.spec.load import DECLARATION_FILE
from entrepot.spec.lock import LOCK_FILE

INTERVAL = 0.25
"""Seconds between two looks, at least."""
WORK_SHARE = 10
"""A look that takes long is repeated after so many times its duration, so that watching stays cheap."""

Seen = Mapping[str, tuple[int, int, int]]
"""By path: what tells that a file is another."""


async def watch(look: Callable[[], Seen], apply: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Apply whenever something has changed and then stayed as it is for one look; never returns.

    An editor that saves several files, or one in several writes, is thus waited for. What is there at
    first is applied too, for it may have been saved after what runs was compiled.
    """
    done: Seen | None = None
    last, pause = await asyncio.to_thread(look), INTERVAL
    while True:
        await clock.sleep(pause)
        begun = clock.monotonic()
        now = await asyncio.to_thread(look)
        pause = max(INTERVAL, WORK_SHARE * (clock.monotonic() - begun))
        if now == last and now != done:
            done = now
            await apply()
        last = now


def look_at(recipe: Recipe, releases: Releases) -> Seen:
    """What a release is made of, as it is on disk."""
    project = recipe.project
    names = {DECLARATION_FILE, LOCK_FILE, *_files_of_live(releases)}
    with suppress(Refused):  # too many: who applies is told
        names.update(own_modules(project, packages_only=recipe.target.suffix == ".py"))
    return {name: seen for name in sorted(names) if (seen := _seen(project / name)) is not None}


def told(applied: Applied) -> str:
    """What became of what was saved, for whoever watches the terminal; "" when nothing did."""
    match applied.state:
        case "unchanged":
            return ""
        case "refused":
            return "\n".join([*map(str, applied.diagnostics), applied.summary])
        case _:
            return "\n".join(filter(None, (applied.summary, applied.reason, applied.note)))


def _files_of_live(releases: Releases) -> tuple[str, ...]:
    live = releases.live()
    return releases.paths(live.number) if live is not None else ()


def _seen(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
