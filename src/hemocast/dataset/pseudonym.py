"""Pseudonyms: a keyed hash, so that nobody without the key can test a guess of an identifier."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from datetime import timedelta
from pathlib import Path

from hemocast import files
from hemocast.errors import UsageError

DIGITS = 12  # 48 bits: a collision among 100,000 patients has a probability of 2e-5
_UNKEYED = re.compile("[0-9a-f]{16}")


def participant_id(key: bytes, patient_id: str) -> str:
    """Give a patient's pseudonym: ``sub-`` and 12 hexadecimal digits of an HMAC-SHA256.

    Parameters
    ----------
    key : bytes
        The project's secret.
    patient_id : str
        The identifier in the source files; surrounding spaces do not count (DICOM pads with them).
    """
    return f"sub-{_digest(key, patient_id.strip()).hex()[:DIGITS]}"


def study_id(key: bytes, study_uid: str) -> str:
    """Give a study's pseudonym, by which its row in a table of refusals is found again."""
    return f"study-{_digest(key, f'study:{study_uid.strip()}').hex()[:DIGITS]}"


def scan_name(key: bytes, scan_uid: str) -> str:
    """Give a scan's pseudonym, by which it is known again: ``scan-`` and 16 hexadecimal digits.

    Parameters
    ----------
    key : bytes
        The project's secret.
    scan_uid : str
        As in `hemocast.volume.Source`: who has a list of UIDs can make it, but not the pseudonym.
    """
    return f"scan-{_digest(key, f'scan:{scan_uid}').hex()[:16]}"


def is_unkeyed(name: str) -> bool:
    """Tell a `scan_uid` without a key, as versions before wrote it into datasets and tables."""
    return _UNKEYED.fullmatch(name) is not None


def date_shift(key: bytes, patient_id: str) -> timedelta:
    """Give the shift of all dates of a patient: whole days, so that intervals stay.

    Parameters
    ----------
    key : bytes
        The project's secret.
    patient_id : str
        As for `participant_id`.

    Returns
    -------
    timedelta
        To be subtracted. Today's dates land before 1925, as BIDS asks of shifted dates.
    """
    digest = _digest(key, f"dates:{patient_id.strip()}")
    return timedelta(days=40000 + int.from_bytes(digest[:4], "big") % 3650)


def key_check(key: bytes) -> str:
    """Give a value by which a key is known again, and from which it cannot be found."""
    return _digest(key, "hemocast dataset key check").hex()[:16]


def _digest(key: bytes, words: str) -> bytes:
    return hmac.new(key, words.encode(), hashlib.sha256).digest()


def key_beside(folder: Path) -> Path:
    """Give the file that holds the key of a folder's pseudonyms unless another is named."""
    return folder.parent / f"{folder.name}.key"


def load_key(path: Path, beside: Path) -> bytes:
    """Read the key, or make one (readable by its owner alone) where there is none.

    Of two runs that find none at once, one makes the key and the other takes that one.

    Raises
    ------
    UsageError
        As `read_key`.
    """
    key = read_key(path, beside)
    if key is None:
        made = secrets.token_bytes(32)
        text = made.hex() + "\n"
        if files.write_new(path, text, private=True):
            return made
        key = _filled(path, beside)
        if key is None:  # left empty by a killed run
            files.write_text(path, text, private=True)
            key = made
    return key


def _filled(path: Path, beside: Path) -> bytes | None:
    """Read a key that another run may be writing right now."""
    for _ in range(20):
        if key := read_key(path, beside):
            return key
        time.sleep(0.05)
    return None


def read_key(path: Path, beside: Path) -> bytes | None:
    """Read the key.

    Parameters
    ----------
    path : Path
        The file.
    beside : Path
        The folder whose pseudonyms it makes.

    Returns
    -------
    bytes or None
        None where there is no file, or an empty one, as a killed run of version 0.1 left it, and no
        pseudonym yet.

    Raises
    ------
    UsageError
        The key would lie in the folder, the file is no key, or there is none and the folder holds
        pseudonyms.
    """
    if path.resolve().is_relative_to(beside.resolve()):
        raise UsageError(
            "The pseudonym key would lie inside the dataset",
            "a place outside it: who has both can undo the pseudonyms",
            "Name another file with --key",
        )
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        text = ""
    except OSError:
        text = "no key: it cannot be read"
    if not text and any(beside.glob("sub-*")):
        raise UsageError(
            "There is no pseudonym key, but the patients there have been named by one",
            "the key that named them: with a new one the same patient would enter as a second one",
            "Name its file with --key, or restore it",
        )
    return _key_in(text) if text else None


def given_key(path: Path) -> bytes:
    """Read a key that must be there, wherever it lies.

    Raises
    ------
    UsageError
        There is no such file, or it holds no key.
    """
    try:
        return _key_in(path.read_text(encoding="ascii", errors="replace").strip())
    except OSError:
        return _key_in("")


def _key_in(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) < 16:
        raise UsageError(
            "The file named as pseudonym key holds no key",
            "at least 32 hexadecimal digits",
            "Name the right file with --key, or a new one to have it made",
        )
    return key


def known_key(words: str) -> bytes:
    """Make a key from known words, so that the pseudonyms of simulated patients agree between runs.

    A key that can be guessed protects nobody; simulated patients need no protection.
    """
    return hashlib.sha256(f"hemocast {words}".encode()).digest()
