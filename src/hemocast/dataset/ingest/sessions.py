"""Which session every scan has: decided once, written down before any scan is read.

A run that was stopped finds its decisions again, so that it ends as if it had not been; a scan that
is refused keeps its number, so that trying again changes nobody else's.
"""

from __future__ import annotations

from collections import defaultdict

from hemocast.dataset.layout import Dataset, write_table
from hemocast.dataset.tables.sidecars import read_sidecar

_TABLE = "quality/sessions"
_COLUMNS = ["scan_uid", "participant_id", "session"]


class Sessions:
    """The sessions of a dataset.

    Parameters
    ----------
    dataset : Dataset
        Where they are written down.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._given: dict[str, tuple[str, int]] = {}
        self._of: dict[str, dict[int, str]] = defaultdict(dict)
        self.complete: set[str] = set()
        if (dataset.root / f"{_TABLE}.tsv").is_file():
            table = dataset.table(_TABLE)
            for uid, participant, session in table[_COLUMNS].itertuples(index=False):
                self._note(uid, participant, int(session.removeprefix("ses-")))
        for path in dataset.sidecars():
            content = read_sidecar(path)
            uid, session = content["scan_uid"], content["session"]
            self.complete.add(uid)
            self._note(uid, content["participant_id"], int(session.removeprefix("ses-")))

    def _note(self, uid: str, participant: str, number: int) -> None:
        self._given[uid] = participant, number
        self._of[participant][number] = uid

    def __contains__(self, scan_uid: str) -> bool:
        return scan_uid in self._given

    def scans_of(self, participant: str) -> set[str]:
        """Scans of a participant that have a session."""
        return set(self._of[participant].values())

    def give(self, scan_uid: str, participant: str, wish: int | None = None) -> str:
        """Give a scan its session: the one it has, the one it asks for, or the next.

        Parameters
        ----------
        scan_uid, participant : str
            The scan, and whose it is.
        wish : int, optional
            Number that its source gave it.

        Returns
        -------
        str
            ``ses-`` and at least two digits.
        """
        known = self._given.get(scan_uid)
        if known is None or known[0] != participant:
            taken = self._of[participant]
            free = wish is not None and wish > 0 and wish not in taken
            number = wish if free and wish is not None else max(taken, default=0) + 1
            self._note(scan_uid, participant, number)
        return f"ses-{self._given[scan_uid][1]:02d}"

    def save(self) -> None:
        """Write all down, whole or not at all."""
        rows = [
            {"scan_uid": uid, "participant_id": participant, "session": f"ses-{number:02d}"}
            for uid, (participant, number) in self._given.items()
        ]
        write_table(self._dataset.root / f"{_TABLE}.tsv", rows, _COLUMNS)
