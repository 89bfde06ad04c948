"""Names of convolution kernels: the reader and the de-identifier know them from here alone."""

from __future__ import annotations

import re

_BONE = re.compile(r"HD ?BONE|BONE|EDGE|LUNG|ULTRA|Y[CDE]|FC(3[0-59]|5\d|8\d)")
_NUMBERED = re.compile(r"[A-Z]{1,2}(\d\d)[A-Z]?\b")  # Siemens: H60S, J70H, HR64
_SHARPEST_SOFT = 54
_KNOWN = re.compile(
    r"[A-Z]{1,2}\d\d[A-Z]?|FC\d\d(-[A-Z])?|[UYE][A-F]|[A-D]|\d"
    r"|STD\+?|STANDARD|STND|SOFT|SMOOTH|SHARP|DETAIL|EDGE|LUNG|CHEST|BONE ?(PLUS)?|ULTRA"
    r"|HD ?(BONE|LUNG)|BRAIN|HEAD|ORDINARY|NONE|HD_STND"
)


def bone_prefix(name: str) -> str:
    """Give what marks a name as that of a bone or lung kernel; empty where nothing does.

    Parameters
    ----------
    name : str
        Upper case.
    """
    found = _BONE.match(name)
    return found.group() if found else ""


def is_bone(name: str) -> bool:
    """Tell a bone or lung kernel by its name, as the four large vendors name them."""
    if bone_prefix(name):
        return True
    numbered = None if name.startswith("FC") else _NUMBERED.match(name)
    return numbered is not None and int(numbered[1]) > _SHARPEST_SOFT


def is_known(name: str) -> bool:
    """Tell whether a vendor gives this name, so that it can name nobody."""
    return _KNOWN.fullmatch(name) is not None
