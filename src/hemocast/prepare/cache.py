"""Stacks of eligible scans kept on disk, found again by what went in."""

from __future__ import annotations

import dataclasses
import json
import logging
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from hemocast.config import PrepareConfig
from hemocast.files import replacing
from hemocast.volume import Stack, StackRecord, Volume, from_levels, to_levels

logger = logging.getLogger(__name__)

# Raise when a change of code changes the Stack of a scan: older files are then not found.
PREPARATION = 6


def kept_stack(volume: Volume, config: PrepareConfig, cache: Path) -> Stack | None:
    """Read what an earlier call made from the same scan and settings.

    Parameters
    ----------
    volume : Volume
        The scan.
    config : PrepareConfig
        The settings.
    cache : Path
        Folder of prepared scans. A file there is named by the SHA-256 of the scan's content and of
        the settings.

    Returns
    -------
    Stack or None
        None where there is none, or the file cannot be read in full.
    """
    scan, settings = volume.content_hash(), config.hash()
    path = _path(cache, scan, settings)
    if not path.is_file():
        return None
    held = _read(path, config)
    if held and (held.record.input_hash, held.record.settings_hash) == (scan, settings):
        return held
    logger.warning("A prepared scan in the cache was damaged and is prepared again")
    return None


def keep_stack(stack: Stack, cache: Path) -> None:
    """Keep an eligible scan's stack in a folder, which is made if missing."""
    record = stack.record
    with (
        replacing(_path(cache, record.input_hash, record.settings_hash)) as path,
        path.open("wb") as file,
    ):
        # Background is 0 everywhere: only the brain's levels are kept.
        np.savez(
            file,
            allow_pickle=False,
            levels=to_levels(stack.frames[stack.brain]),
            brain=np.packbits(stack.brain),
            affine=stack.affine,
            record=np.frombuffer(json.dumps(dataclasses.asdict(record)).encode(), np.uint8),
        )


def _path(cache: Path, scan: str, settings: str) -> Path:
    return cache / f"eligible-{scan[:32]}-{settings[:16]}-{PREPARATION}.npz"


def _read(path: Path, config: PrepareConfig) -> Stack | None:
    """Read a file, or None where it is damaged (zip checks the sums of all it holds)."""
    shape = (config.frames, config.size, config.size)
    try:
        with np.load(path, allow_pickle=False) as held:
            bits = np.unpackbits(held["brain"], count=int(np.prod(shape)))
            brain = bits.reshape(shape).astype(np.bool_)
            frames = np.zeros(shape, np.float32)
            frames[brain] = from_levels(held["levels"])
            fields: dict[str, Any] = json.loads(held["record"].tobytes())
            for key in ("rotation_degrees", "shift_mm", "doubts"):
                fields[key] = tuple(fields[key])
            affine = held["affine"].astype(np.float64).reshape(4, 4)
            return Stack(frames, brain, affine, StackRecord(**fields))
    except (OSError, ValueError, KeyError, TypeError, EOFError, zlib.error, zipfile.BadZipFile):
        return None
