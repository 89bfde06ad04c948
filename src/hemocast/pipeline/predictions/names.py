"""What the scans of an output folder are called: by the project's key, or by one of the folder's.

With a key a scan has the names that ``hemocast ingest`` gives it. Without one it is called by a
pseudonym under a random key that the folder keeps for itself, so that a list of UIDs cannot be
tried against it, and the same scan has the same name in every run.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hemocast import files
from hemocast.dataset import Dataset
from hemocast.dataset.description import other_key
from hemocast.dataset.ingest.sessions import Identity, Sessions, nameless
from hemocast.dataset.ingest.sources import Candidate, Gathered, gather
from hemocast.dataset.pseudonym import given_key, key_check, scan_name
from hemocast.dataset.scan_id import ScanId
from hemocast.dicom.files.archive import open_named
from hemocast.dicom.read import mixed_patients
from hemocast.errors import HemocastError, OutputExists, SeveralScans, UsageError
from hemocast.pipeline.predictions.cases import Case

NAMES = "names.json"
_HEX = "^[0-9a-f]+$"


class Kept(BaseModel):
    """What an output folder keeps about its names, for its owner only.

    Parameters
    ----------
    key : str or None
        The folder's own, in hexadecimal digits.
    key_check : str or None
        Value by which the project's key is known again.
    sessions : dict of str to tuple of str
        Pseudonym of a scan -> its patient and session, as decided under the project's key.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    schema_version: int = Field(1, ge=1, le=1)
    key: str | None = Field(None, pattern=_HEX, min_length=64, max_length=64)
    key_check: str | None = Field(None, pattern=_HEX, max_length=64)
    sessions: dict[str, tuple[str, str]] = {}


class Names:
    """The names of an output folder's scans.

    Parameters
    ----------
    out : Path
        The folder.
    key : bytes or None
        The project's; None: the folder's own is taken, or made.

    Raises
    ------
    UsageError
        The scans there are named by another key, or by none where one is given or the other way
        round: each would get a second name.
    OutputExists
        What the folder keeps about its names was changed.
    """

    def __init__(self, out: Path, key: bytes | None) -> None:
        self._path = out / NAMES
        kept = _read(self._path)
        if kept and key and kept.key:
            raise named_otherwise("without a key", "no key")
        if kept and not key and kept.key_check:
            raise named_otherwise("by a key", "that key")
        if kept and key and kept.key_check != key_check(key):
            raise other_key()
        self.is_new = kept is None
        self.keyed = key is not None
        own = bytes.fromhex(kept.key) if kept and kept.key else secrets.token_bytes(32)
        self.key = key or own
        self._planned: dict[str, ScanId | None] = {}
        given = kept.sessions if kept else {}
        self._sessions = Sessions(self.key, {uid: ScanId(*name) for uid, name in given.items()})

    def save(self) -> None:
        """Write down what makes the names, before any is used."""
        kept = Kept(
            key=None if self.keyed else self.key.hex(),
            key_check=key_check(self.key) if self.keyed else None,
            sessions={
                uid: (scan.participant_id, scan.session)
                for uid, scan in self._sessions.given.items()
            },
        )
        text = kept.model_dump_json(indent=2, exclude_none=True) + "\n"
        files.write_text(self._path, text, private=True)

    def plan(self, cases: Sequence[Case]) -> None:
        """Number every patient's scans in the order of time, after those that have a number.

        Headers are read for it, of all cases. A path that cannot be read is refused when its turn
        comes; only its scans have no number then.
        """
        found: list[Identity] = []
        for case in cases:
            if case.scan_id:
                continue
            with suppress(HemocastError), open_named(case.path) as opened:
                found += [
                    replace(one.identity, participant_id=case.participant_id)
                    for one in gather(opened).candidates
                    if self._of_file(one) is None
                ]
        self._planned |= self._sessions.plan(found)

    def of(self, case: Case, one: Candidate) -> tuple[str | None, str]:
        """Give a scan's participant_id, None where not known, and its scan_id.

        Raises
        ------
        SeveralScans
            Only a file's name says whose it is, and another scan's is the same.
        """
        if case.scan_id:
            return case.participant_id, case.scan_id
        uid = scan_name(self.key, one.identity.scan_uid)
        scan = self._of_file(one) or self._planned.get(uid)
        if scan is not None:
            return case.participant_id or scan.participant_id, str(scan)
        if self.keyed:
            raise nameless()
        return case.participant_id or self._own_person(one.identity), uid

    def _own_person(self, one: Identity) -> str | None:
        """Give a patient's pseudonym under the folder's own key, but not by a file's name alone."""
        return None if one.alone else one.person(self.key)

    def _of_file(self, one: Candidate) -> ScanId | None:
        """Name of a dataset's NIfTI; under a key only where it lies in a dataset, as for ingest."""
        path = one.nifti
        scan = ScanId.of_file(path.name) if path else None
        if path is None or scan is None or not scan.is_pseudonym:  # others may name the patient
            return None
        above = path.absolute().parents
        at_home = len(above) > 3 and Dataset(above[3]).is_ours()
        return scan if at_home or not self.keyed else None

    def refusal_of(self, case: Case, found: Gathered) -> HemocastError | None:
        """Say why the scans of a path cannot be named, or None."""
        if case.scan_id and len(found.candidates) > 1:
            return SeveralScans(
                f"There are {len(found.candidates)} scans where one scan_id is given",
                "one scan",
                "Give every scan a row of its own, or leave scan_id empty",
            )
        if found.patients > 1 and (case.participant_id or case.scan_id or not self.keyed):
            return mixed_patients(found.patients)
        return None


def scans_of(
    case: Case, names: Names, kept: ExitStack | None = None
) -> Iterator[Candidate | HemocastError]:
    """Find the scans of a path, and why its studies have none; all there must be readable.

    Parameters
    ----------
    case : Case
        The path.
    names : Names
        Of its scans.
    kept : ExitStack, optional
        Keeps a zip unpacked until it is closed; else it is gone after its last scan.
    """
    with ExitStack() as own:
        found = gather((kept or own).enter_context(open_named(case.path)))
        if (refusal := found.unreadable or names.refusal_of(case, found)) is not None:
            raise refusal
        yield from (item.error for item in found.turned_away)
        yield from found.candidates


def key_of_table(table: Path, given: Path | None) -> bytes | None:
    """Read the key that named the patients in a table of predictions.

    Parameters
    ----------
    table : Path
        The predictions; beside those of ``hemocast predict`` lies what made their names.
    given : Path or None
        The project's key, by which a dataset's scans have their names, too; None: the folder's
        own, where the scans were named by that.

    Raises
    ------
    UsageError
        The file holds no key, or another one named the table's patients.
    OutputExists
        What the folder of predictions keeps about its names was changed.
    """
    kept = _read_beside(table)
    if given is None:
        return bytes.fromhex(kept.key) if kept and kept.key else None
    key = given_key(given)
    if kept and kept.key_check not in (None, key_check(key)):
        raise other_key()
    return key


def _read_beside(table: Path) -> Kept | None:
    try:
        return _read(table.parent / NAMES)
    except OutputExists:
        if files.kind_of(table.parent) is None:  # a file of somebody else's that has this name
            return None
        raise


def named_otherwise(how: str, expected: str) -> UsageError:
    """Say that scans there have names that this run would not give."""
    return UsageError(
        f"The scans in the output folder were named {how}",
        f"{expected} this time, too: otherwise the same scan would get a second name",
        "Continue as before, or name another folder with --out",
    )


def _read(path: Path) -> Kept | None:
    if not path.exists():
        return None
    try:
        kept = Kept.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        kept = None
    if kept is None or (kept.key is None) == (kept.key_check is None):
        raise OutputExists(
            f"{NAMES} in the output folder was changed or cannot be read, so that its scans cannot "
            "be known again",
            "the file as Hemocast wrote it",
            "Restore it, or name another folder with --out",
        )
    return kept
