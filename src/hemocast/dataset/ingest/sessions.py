"""Which session every scan has: decided once, written down before any scan is read.

A run that was stopped finds its decisions again, so that it ends as if it had not been; a scan that
is refused keeps its number, so that trying again changes nobody else's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hemocast.dataset.layout import SESSIONS, SESSIONS_COLUMNS, Dataset
from hemocast.dataset.pseudonym import is_unkeyed, participant_id, scan_name
from hemocast.dataset.scan_id import ScanId
from hemocast.dataset.sidecar import read_sidecar
from hemocast.errors import SeveralScans, TableError


@dataclass(frozen=True, repr=False)
class Identity:
    """What a scan is named by: protected health information, never shown.

    Parameters
    ----------
    patient : str
        What the pseudonym is made from.
    study : str
        What tells its study from others.
    scan_uid : str
        As in `hemocast.volume.Source`.
    acquired : datetime or None
        When.
    session : int or None
        Session that the file's name asks for.
    alone : bool
        Nothing but a file's name says whose it is: a second scan of that name is refused.
    participant_id : str or None
        The patient's pseudonym, where somebody gave it.
    """

    patient: str
    study: str
    scan_uid: str
    acquired: datetime | None = None
    session: int | None = None
    alone: bool = False
    participant_id: str | None = None

    def person(self, key: bytes) -> str:
        """Give the patient's pseudonym."""
        return self.participant_id or participant_id(key, self.patient)

    @property
    def order(self) -> tuple[datetime, int, str, str]:
        """Place among others: in the order of time, as far as known."""
        return self.acquired or datetime.max, self.session or 0, self.study, self.scan_uid


def nameless() -> SeveralScans:
    """Say that nobody knows whose a scan is."""
    return SeveralScans(
        "Several scans are called the same, and only the file's name says whose this one is",
        "a name for every patient, such as sub-LABEL_ses-1_ct.nii.gz",
        "Rename the files, one label for each patient",
    )


class Sessions:
    """The sessions that a key's scans have.

    Parameters
    ----------
    key : bytes
        Of the pseudonyms.
    given : mapping of str to ScanId
        Pseudonym of a scan (`scan_name`) -> its name, as decided before. A hash without a key, as
        versions before wrote it, is taken for the pseudonym that the key makes of it.
    """

    def __init__(self, key: bytes, given: Mapping[str, ScanId]) -> None:
        self._key = key
        self.complete: set[str] = set()
        self._of: dict[str, dict[int, str]] = defaultdict(dict)
        self.given: dict[str, ScanId] = {}
        for uid, scan in given.items():
            self._note(scan_name(key, uid) if is_unkeyed(uid) else uid, scan)

    def _note(self, uid: str, scan: ScanId) -> None:
        self.given[uid] = scan
        # A session that somebody named by hand has no number, and takes none from others.
        if scan.number is not None:
            self._of[scan.participant_id][scan.number] = uid

    def get(self, one: Identity) -> ScanId | None:
        """Name of a scan that has a session."""
        return self.given.get(scan_name(self._key, one.scan_uid))

    def plan(self, scans: Sequence[Identity]) -> dict[str, ScanId | None]:
        """Name scans: as they are named already, or after those, in the order of time.

        Parameters
        ----------
        scans : sequence of Identity
            All that were found, for what is called the same by chance must be seen together.

        Returns
        -------
        dict
            Pseudonym of every scan that is not complete yet -> its name, in the order of time. None
            where only a file's name says whose a scan is, and several are called the same.
        """
        found = {scan_name(self._key, one.scan_uid): one for one in scans}
        people = {uid: one.person(self._key) for uid, one in found.items()}
        named = defaultdict(set)
        for uid in found:
            named[people[uid]].add(uid)
        names: dict[str, ScanId | None] = {}
        for uid in sorted(found.keys() - self.complete, key=lambda uid: found[uid].order):
            one, person = found[uid], people[uid]
            others = (named[person] | set(self._of[person].values())) - {uid}
            nameless = one.alone and others and uid not in self.given
            names[uid] = None if nameless else self._give(uid, person, one.session)
        return names

    def _give(self, uid: str, person: str, wish: int | None) -> ScanId:
        """Give a scan its session: the one it has, the one it asks for, or the next."""
        known = self.given.get(uid)
        if known is None or known.participant_id != person:
            taken = self._of[person]
            free = wish is not None and wish > 0 and wish not in taken
            number = wish if free and wish is not None else max(taken, default=0) + 1
            self._note(uid, ScanId.numbered(person, number))
        return self.given[uid]


class DatasetSessions(Sessions):
    """The sessions of a dataset.

    Parameters
    ----------
    dataset : Dataset
        Where they are written down.
    key : bytes
        The dataset's, or one that is to be proved.

    Raises
    ------
    TableError, DatasetError
        They cannot be read, or a sidecar cannot.
    """

    def __init__(self, dataset: Dataset, key: bytes) -> None:
        self._dataset = dataset
        there = {one.scan_uid: one.scan for one in map(read_sidecar, dataset.sidecars())}
        super().__init__(key, _written(dataset) | there)
        self.complete |= Sessions(key, there).given.keys()

    def unfinished(self) -> list[ScanId]:
        """Scans that have a session and are not there: refused, or a run was stopped at them."""
        return [scan for uid, scan in self.given.items() if uid not in self.complete]

    def save(self) -> None:
        """Write all down, whole or not at all."""
        rows = [
            {"scan_uid": uid, "participant_id": scan.participant_id, "session": scan.session}
            for uid, scan in self.given.items()
        ]
        self._dataset.write_table(SESSIONS, rows, SESSIONS_COLUMNS)


def _written(dataset: Dataset) -> dict[str, ScanId]:
    if not dataset.path(SESSIONS).is_file():
        return {}
    table = dataset.table(SESSIONS)
    if not set(SESSIONS_COLUMNS) <= set(table.columns):
        raise TableError(
            f"{SESSIONS}.tsv has other columns",
            ", ".join(SESSIONS_COLUMNS),
            "Bring the file back as it was",
        )
    rows = table[[*SESSIONS_COLUMNS]].itertuples(index=False, name=None)
    return {uid: ScanId(*name) for uid, *name in rows}
