"""The folder for clean files: whether it may be written to, and by which key it is named."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from hemocast import files
from hemocast.dicom.deidentify.header import Keyed
from hemocast.errors import UsageError
from hemocast.version import VERSION

KIND = "deidentified"
ABOUT = "deidentified.json"
LEFT_BEHIND = "left_behind.tsv"

_HEX = "[0-9a-f]{12}"
_PATIENT = re.compile(f"sub-{_HEX}")
_OF_BEFORE = re.compile(
    rf"left_behind\.tsv|sub-{_HEX}/study-{_HEX}/(series-{_HEX}|\.series-{_HEX}\.partial)/{_HEX}\.dcm"
)


def check(sources: Sequence[Path], out: Path) -> None:
    """Refuse a folder that `claim` would refuse, before any work; writes nothing.

    Raises
    ------
    UsageError
        It lies in a source, or a source in it.
    OutputExists, NotWritable
        It holds somebody's files, is a file, or cannot be written to.
    """
    target = out.resolve()
    for source in (Path(source).resolve() for source in sources):
        if target.is_relative_to(source) or source.is_relative_to(target):
            raise UsageError(
                "The clean files would lie among the files they are made from",
                "a folder apart from the sources",
                "Name another folder with --out",
            )
    files.check_folder(out, KIND, also=_is_of_before(out))
    files.Output(out).check([ABOUT])


@contextmanager
def claim(out: Path, keyed: Keyed, patients: Collection[str]) -> Iterator[files.Output]:
    """Hold the folder for this run alone, once the key is known to be that of earlier runs.

    Parameters
    ----------
    out : Path
        As `check` accepts it.
    keyed : Keyed
        The key, and the pseudonyms made from it.
    patients : collection of str
        The patients of this run; one of them proves the key of a folder of version 0.1.

    Raises
    ------
    UsageError
        Another key named the patients there: each would get a second name.
    OutputExists, NotWritable, InUse
        As `hemocast.files.claim` does.
    """
    of_before = _is_of_before(out)
    known = _key_check(out)
    named = {path.name for path in out.glob("sub-*") if _PATIENT.fullmatch(path.name)}
    proved = not named.isdisjoint(map(keyed.pseudonym, patients))
    if known != keyed_check(keyed) if known else named and not proved:
        raise UsageError(
            "The key is not known to be the one that named the patients in the output folder",
            "the key of the first run; for a folder of version 0.1, also one of its patients",
            "Name the right key with --key, or another folder with --out",
        )
    with files.claim(out, KIND, also=of_before) as output:
        if of_before:
            output.adopt([LEFT_BEHIND])
        output.check([LEFT_BEHIND])
        if not known:
            about = {"HemocastVersion": VERSION, "KeyCheck": keyed_check(keyed)}
            output.write_json(ABOUT, about)
        for study in out.glob("sub-*/study-*"):
            files.remove_temporary(study)
        yield output


def keyed_check(keyed: Keyed) -> str:
    """Give a value by which a key is known again, and from which it cannot be found."""
    return hmac.new(keyed.key, b"hemocast deidentified", hashlib.sha256).hexdigest()[:16]


def _key_check(out: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads((out / ABOUT).read_text(encoding="utf-8"))["KeyCheck"])
    return ""


def _is_of_before(out: Path) -> bool:
    """Tell an export of version 0.1, which kept no record: its names, and what its headers say."""
    if not out.is_dir() or files.kind_of(out):
        return False
    there = [path for path in out.rglob("*") if not path.is_dir()]
    names = (path.relative_to(out).as_posix() for path in there)
    clean = (path for path in there if path.suffix == ".dcm")
    return all(map(_OF_BEFORE.fullmatch, names)) and any(map(_says_ours, clean))


def _says_ours(path: Path) -> bool:
    from pydicom import dcmread

    try:
        header = dcmread(path, stop_before_pixels=True, specific_tags=["DeidentificationMethod"])
        return str(header.get("DeidentificationMethod", "")).startswith("Hemocast ")
    # The parser raises whatever its code trips over in somebody's file.
    except Exception:
        return False
