"""What an author may say of a file."""

from __future__ import annotations

from typing import Annotated

import pytest

from entrepot import File, Media, TooLarge
from entrepot.model import shape as s
from entrepot.shapes.reflect import NoShape, Reflector


def test_a_file_may_have_few_media_types() -> None:
    assert Reflector().shape(Annotated[File, Media(("image/png",))]) == s.File(media_types=("image/png",))


def test_only_a_file_has_media_types() -> None:
    with pytest.raises((NoShape, TypeError), match="media_types"):
        Reflector().shape(Annotated[str, Media(("image/png",))])


async def test_a_file_longer_than_the_limit_is_too_large() -> None:
    file = File.of(b"1234")
    assert await file.read(limit=4) == b"1234"
    with pytest.raises(TooLarge):
        await file.read(limit=3)
