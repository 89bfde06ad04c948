"""Stacks kept on disk, found again by what went in."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hemocast.config import PrepareConfig
from hemocast.prepare.stack import prepare
from hemocast.volume import Stack, StackRecord, Volume, from_levels, to_levels

logger = logging.getLogger(__name__)

# Raise when a change of code changes the Stack of a scan: older files are then not found.
PREPARATION = 2


def prepare_cached(
    volume: Volume,
    config: PrepareConfig,
    cache: Path,
    make: Callable[[], Stack] | None = None,
    name: str = "stack",
) -> Stack:
    """Prepare a scan, or read what an earlier call prepared from the same scan and settings.

    Parameters
    ----------
    volume : Volume
        The scan.
    config : PrepareConfig
        The settings.
    cache : Path
        Folder of prepared scans; created if missing. A file there is named by the SHA-256 of the
        scan's content and of the settings; one that cannot be read in full is made anew.
    make : callable, optional
        Makes the Stack where the cache does not hold it; by default `prepare`.
    name : str
        First part of the file's name: what `make` refuses, another `name` must not let through.

    Returns
    -------
    Stack
        Equal to that of `make`.

    Raises
    ------
    HemocastError
        Whatever `make` raises; nothing is then kept.
    """
    scan, settings = volume.content_hash(), config.hash()
    path = cache / f"{name}-{scan[:32]}-{settings[:16]}-{PREPARATION}.npz"
    if path.is_file():
        held = _read(path, config)
        if held and (held.record.input_hash, held.record.settings_hash) == (scan, settings):
            return held
        logger.warning("A prepared scan in the cache was damaged and is made anew")
    stack = prepare(volume, config) if make is None else make()
    _write(stack, path)
    return stack


def _write(stack: Stack, path: Path) -> None:
    """Write under a temporary name, then rename: no reader ever sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    record = json.dumps(dataclasses.asdict(stack.record)).encode()
    try:
        with os.fdopen(handle, "wb") as file:
            # Background is 0 everywhere: only the brain's levels are kept.
            np.savez(
                file,
                allow_pickle=False,
                levels=to_levels(stack.frames[stack.brain]),
                brain=np.packbits(stack.brain),
                affine=stack.affine,
                record=np.frombuffer(record, np.uint8),
            )
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


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
