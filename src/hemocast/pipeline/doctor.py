"""What is installed, what the machine has, what is missing and how to get it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from hemocast.errors import HemocastError
from hemocast.onnx import usable_cpus
from hemocast.version import VERSION

EXTRAS = {
    "cohort": "Table 1 of a cohort",
    "train": "to train and cross-validate",
    "compare": "MONAI's networks to compare with",
    "pdf": "pages of scans as PDF",
    "tune": "hemocast tune",
    "word": "study.docx of hemocast study",
    "serve": "the reading room, DICOMweb servers",
    "postgres": "answers of readers in PostgreSQL",
    "cluster": "ingest on a dask cluster",
}
"""Extras that a user may want, and what for."""
SYNTAXES = {
    "RLE": "1.2.840.10008.1.2.5",
    "JPEG lossless": "1.2.840.10008.1.2.4.70",
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "JPEG 2000": "1.2.840.10008.1.2.4.90",
}
"""Compressions of head CT in practice (DICOM PS3.5, A.4)."""
LITTLE_DISK, LITTLE_MEMORY = 2e9, 3e9
"""Bytes below which a run may fail; ours: 1.0 GB for a scan of 400 thin slices, and room beside."""


@dataclass(frozen=True)
class Found:
    """One thing that was looked at.

    Parameters
    ----------
    what : str
        Its name.
    words : str
        What was found.
    ok : bool or None
        False: Hemocast does not work without it; None: it may be wanted, or is only told.
    remedy : str
        How to get it; "" where nothing is to be done.
    """

    what: str
    words: str
    ok: bool | None = None
    remedy: str = ""


def examine() -> Iterator[Found]:
    """Look at everything, one thing after the other; nothing is changed or sent."""
    where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield Found("hemocast", f"{VERSION}, {where}", ok=sys.version_info >= (3, 11))
    yield from _packages()
    yield from _codecs()
    yield _model()
    yield _threads()
    yield from _gpu()
    yield from _room()


def _packages() -> Iterator[Found]:
    core, extras = requirements()
    missing = [name for name in core if _version(name) is None]
    yield Found(
        "core libraries",
        f"{len(core) - len(missing)} of {len(core)}" + _named(", without ", missing),
        ok=not missing,
        remedy="pip install hemocast" if missing else "",
    )
    for extra, purpose in EXTRAS.items():
        names = extras.get(extra, ())
        missing = [name for name in names if _version(name) is None]
        there = ", ".join(f"{name} {_version(name)}" for name in names if name not in missing)
        yield Found(
            f"extra {extra}",
            f"{there or 'not installed'}{_named('; without ', missing)} ({purpose})",
            ok=None if missing else True,
            remedy=f'pip install "hemocast[{extra}]"' if missing else "",
        )
    if _version("torchvision"):
        yield Found(
            "torchvision", "is installed: it breaks CPU torch", ok=False,
            remedy="pip uninstall torchvision; nothing of Hemocast needs it",
        )  # fmt: skip


def requirements() -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """List the packages that Hemocast needs, and those of every extra, by its own metadata."""
    core: list[str] = []
    extras: dict[str, tuple[str, ...]] = {}
    with suppress(metadata.PackageNotFoundError):
        for line in metadata.requires("hemocast") or ():
            name = re.split(r"[\s\[<>=!~;(]", line, maxsplit=1)[0]
            extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", line)
            if extra is None:
                core.append(name)
            else:
                extras[extra[1]] = (*extras.get(extra[1], ()), name)
    return tuple(core), extras


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _named(before: str, names: list[str]) -> str:
    return before + ", ".join(names) if names else ""


def _codecs() -> Iterator[Found]:
    from pydicom.pixels.decoders.base import get_decoder

    missing = [name for name, uid in SYNTAXES.items() if not get_decoder(uid).is_available]
    there = [name for name in SYNTAXES if name not in missing]
    yield Found(
        "DICOM compressions",
        (", ".join(there) or "none") + _named("; not ", missing),
        ok=not missing,
        remedy="pip install pylibjpeg-openjpeg pylibjpeg-rle pyjpegls python-gdcm"
        if missing
        else "",
    )


def _model() -> Found:
    from hemocast.model import load_default

    try:
        model = load_default()
    except HemocastError as error:
        return Found("model", str(error), ok=False, remedy="pip install --force-reinstall hemocast")
    says = model.description
    return Found("model", f"{says.name} {says.version}: {says.notice}", ok=True)


def _threads() -> Found:
    limits = [
        f"{name}={os.environ[name]}" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
        if name in os.environ
    ]  # fmt: skip
    of = f" of {os.cpu_count()}"
    return Found("CPUs", f"{usable_cpus()}{of} may be used{_named('; ', limits)}")


def _gpu() -> Iterator[Found]:
    from hemocast.onnx import gpu_usable

    driver = shutil.which("nvidia-smi") is not None
    card = "an NVIDIA driver is there" if driver else "no NVIDIA driver"
    usable = gpu_usable()
    yield Found(
        "GPU, to predict",
        "can be used (--device cuda)" if usable else f"not used; {card}",
        ok=True if usable else None,
        remedy="pip uninstall onnxruntime; pip install onnxruntime-gpu"
        if driver and not usable
        else "",
    )
    if _version("torch"):
        import torch

        usable = torch.cuda.is_available()
        yield Found(
            "GPU, to train",
            f"{torch.cuda.device_count()} can be used" if usable else f"not used; {card}",
            ok=True if usable else None,
            remedy="install torch's CUDA wheels (pytorch.org)" if driver and not usable else "",
        )


def _room() -> Iterator[Found]:
    for what, folder in (("disk, here", Path()), ("disk, temporary", Path(tempfile.gettempdir()))):
        free = shutil.disk_usage(folder).free
        little = free < LITTLE_DISK
        yield Found(
            what,
            f"{free / 1e9:.1f} GB free",
            ok=not little,
            remedy="free some, or set TMPDIR for temporary files" if little else "",
        )
    with suppress(OSError, ValueError, AttributeError):  # told by Linux and most Unix systems alone
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        little = size < LITTLE_MEMORY
        yield Found(
            "memory",
            f"{size / 1e9:.1f} GB",
            ok=not little,
            remedy="a scan of 400 thin slices needs 1.0 GB" if little else "",
        )
