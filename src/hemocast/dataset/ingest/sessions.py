"""Which session every scan has: decided once, written down before any scan is read.

A run that was stopped finds its decisions again, so that it ends as if it had not been; a scan that
is refused keeps its number, so that trying again changes nobody else's.
"""

from __future__ import annotations

from collections import defaultdict

from hemocast.dataset.layout import SESSIONS, SESSIONS_COLUMNS, Dataset
from hemocast.dataset.scan_id import ScanId
from hemocast.dataset.sidecar import read_sidecar
from hemocast.errors import TableError


class Sessions:
    """The sessions of a dataset.

    Parameters
    ----------
    dataset : Dataset
        Where they are written down.

    Raises
    ------
    TableError, DatasetError
        They cannot be read, or a sidecar cannot.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._given: dict[str, ScanId] = {}
        self._of: dict[str, dict[int, str]] = defaultdict(dict)
        self.complete: set[str] = set()
        if dataset.path(SESSIONS).is_file():
            table = dataset.table(SESSIONS)
            if not set(SESSIONS_COLUMNS) <= set(table.columns):
                raise TableError(
                    f"{SESSIONS}.tsv has other columns",
                    ", ".join(SESSIONS_COLUMNS),
                    "Bring the file back as it was",
                )
            for uid, *name in table[[*SESSIONS_COLUMNS]].itertuples(index=False, name=None):
                self._note(uid, ScanId(*name))
        for path in dataset.sidecars():
            sidecar = read_sidecar(path)
            self.complete.add(sidecar.scan_uid)
            self._note(sidecar.scan_uid, sidecar.scan)

    def _note(self, uid: str, scan: ScanId) -> None:
        self._given[uid] = scan
        # A session that somebody named by hand has no number, and takes none from others.
        if scan.number is not None:
            self._of[scan.participant_id][scan.number] = uid

    def get(self, scan_uid: str) -> ScanId | None:
        """Name of a scan that has a session."""
        return self._given.get(scan_uid)

    def unfinished(self) -> list[ScanId]:
        """Scans that have a session and are not there: refused, or a run was stopped at them."""
        return [scan for uid, scan in self._given.items() if uid not in self.complete]

    def scans_of(self, participant: str) -> set[str]:
        """Scans of a participant that have a session."""
        return set(self._of[participant].values())

    def give(self, scan_uid: str, participant: str, wish: int | None = None) -> ScanId:
        """Give a scan its session: the one it has, the one it asks for, or the next.

        Parameters
        ----------
        scan_uid, participant : str
            The scan, and whose it is.
        wish : int, optional
            Number that its source gave it.
        """
        known = self._given.get(scan_uid)
        if known is None or known.participant_id != participant:
            taken = self._of[participant]
            free = wish is not None and wish > 0 and wish not in taken
            number = wish if free and wish is not None else max(taken, default=0) + 1
            self._note(scan_uid, ScanId.numbered(participant, number))
        return self._given[scan_uid]

    def save(self) -> None:
        """Write all down, whole or not at all."""
        rows = [
            {"scan_uid": uid, "participant_id": scan.participant_id, "session": scan.session}
            for uid, scan in self._given.items()
        ]
        self._dataset.write_table(SESSIONS, rows, SESSIONS_COLUMNS)
