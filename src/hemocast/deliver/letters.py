"""Fonts of pictures that are read in the site's language."""

from __future__ import annotations

import logging
from functools import cache

from PIL import ImageFont

from hemocast.errors import MissingFont
from hemocast.report.language import ENGLISH, Language
from hemocast.report.pictures.frames import font

log = logging.getLogger(__name__)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# File and number of the face within it. Pillow looks where the system keeps fonts.
_CHINESE = (
    ("NotoSansCJK-Regular.ttc", 2),
    ("NotoSansCJKsc-Regular.otf", 0),
    ("NotoSansSC-Regular.otf", 0),
    ("SourceHanSansSC-Regular.otf", 0),
    ("wqy-microhei.ttc", 0),
    ("wqy-zenhei.ttc", 0),
    ("msyh.ttc", 0),
    ("simhei.ttf", 0),
    ("PingFang.ttc", 0),
)


@cache
def letters(language: Language, size: int) -> Font:
    """Return the letters of a language in a size, pixels; see `drawable` for whether there are."""
    found = None if language.is_english else _chinese()
    return font(size) if found is None else ImageFont.truetype(found[0], size, index=found[1])


def drawable(language: Language) -> Language:
    """Return a language in which a picture can be drawn: English where no font draws its own.

    Boxes in place of letters would hide the notice that a picture must carry.
    """
    if language.is_english or _chinese() is not None:
        return language
    _say_that_there_is_none()
    return ENGLISH


@cache
def _chinese() -> tuple[str, int] | None:
    for name, face in _CHINESE:
        try:
            ImageFont.truetype(name, 12, index=face)
        except OSError:
            continue
        return name, face
    return None


@cache
def _say_that_there_is_none() -> None:
    log.warning(
        "%s",
        MissingFont(
            "No installed font draws Chinese: what is burnt into pictures stays English",
            "a Chinese font",
            "Install one, on Debian fonts-noto-cjk, and start again",
        ),
    )
