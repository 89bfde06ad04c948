"""Keeping the memory that a training step freed for the next one.

glibc hands every freed tensor of more than 32 MB back to the kernel, which must then give, and
fill with zeros, the same pages at the next step: half the CPU time of a training of ours was the
kernel's. What a step needs, the next one needs too.
"""

from __future__ import annotations

import ctypes
import os
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
"""Numbers of glibc's ``malloc.h``."""

KEPT_BYTES = 2**31 - 1
"""So much freed memory at the end of the heap is kept: the most that ``mallopt`` can be told."""

AHEAD_BYTES = 2**26
"""So much more than is needed is asked of the kernel at a time."""


def keep_freed_memory() -> bool:
    """Tell glibc to keep large freed blocks for the next step, for the rest of the process.

    Nothing is done where another library allocates (macOS, Windows, musl), nor where the user
    set one of glibc's ``MALLOC_..._`` variables. The most that a training holds does not grow:
    only what it frees between two steps is held on to.

    Returns
    -------
    bool
        Whether it was done.

    Notes
    -----
    Settings of mallopt(3). Blocks are taken from the heap and never mapped one by one
    (``M_MMAP_MAX`` 0), because glibc caps the other way of saying so, ``M_MMAP_THRESHOLD``, at
    32 MB in older versions.
    """
    if not sys.platform.startswith("linux") or any(
        name.startswith("MALLOC_") and name.endswith("_") for name in os.environ
    ):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    wanted = ((M_TRIM_THRESHOLD, KEPT_BYTES), (M_TOP_PAD, AHEAD_BYTES), (M_MMAP_MAX, 0))
    return all(bool(library.mallopt(name, value)) for name, value in wanted)
