"""One more row for a patient with several scans: what these say together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hemocast.dataset.scan_id import ALL
from hemocast.tables import MISSING

if TYPE_CHECKING:
    from hemocast.model import Calibration
    from hemocast.pipeline.predictions.table import Row

_SAID = (
    "probability", "probability_low", "probability_high", "threshold", "label_set", "logit",
    "flags",
)  # fmt: skip
Judged = tuple[str, str, int, float]
"""participant_id, scan_id, label and logit."""


def bags(judged: Sequence[Judged]) -> list[Judged]:
    """Return a row named `ALL` for every patient with several scans, by the mean of their logits.

    Parameters
    ----------
    judged : sequence of (participant_id, scan_id, label, logit)
    """
    people: dict[str, list[Judged]] = {}
    for row in judged:
        people.setdefault(row[0], []).append(row)
    return [
        (one, ALL, max(row[2] for row in rows), sum(row[3] for row in rows) / len(rows))
        for one, rows in people.items()
        if len(rows) > 1
    ]


class Bags:
    """The predicted scans of every patient, while they come in.

    Parameters
    ----------
    rows : iterable of Row
        Of earlier runs.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        self._scans: dict[str, dict[str, Row]] = {}
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        """Take a scan's row, in place of the one it had."""
        patient, scan = row.get("participant_id", ""), row["scan_id"]
        if MISSING not in (patient, scan) and "" not in (patient, scan) and scan != ALL:
            self._scans.setdefault(patient, {})[scan] = row

    def row_of(self, patient: str, calibration: Calibration) -> Row | None:
        """Give the row for all scans of a patient: the mean of their logits, and what follows.

        Parameters
        ----------
        patient : str
            Its participant_id.
        calibration : Calibration
            Of the model, at the prevalence assumed.

        Returns
        -------
        Row or None
            None where there are not several scans, or one lacks its logit, which version 0.1 did
            not write. Where none of several has a prediction any more, neither has the row.
        """
        scans = list(self._scans.get(patient, {}).values())
        done = [row for row in scans if row.get("status") == "done"]
        if len(scans) < 2 or any(not row.get("logit") for row in done):
            return None
        simulated = max(row.get("simulated") or "0" for row in scans)
        row = dict.fromkeys(("code", "message", *_SAID), "")
        row |= {"case": MISSING, "participant_id": patient, "scan_id": ALL, "simulated": simulated}
        if not done:
            return row | {"status": "refused", "message": "no scan of the patient was predicted"}
        logit = sum(float(row["logit"]) for row in done) / len(done)
        sets = calibration.label_sets
        low, high = calibration.interval(logit)
        flags = dict.fromkeys(flag for row in done for flag in row["flags"].split("; ") if flag)
        return row | {
            "probability": f"{calibration.probability(logit):.6f}",
            "probability_low": f"{low:.6f}",
            "probability_high": f"{high:.6f}",
            "threshold": f"{calibration.threshold:.6f}",
            "label_set": sets.text(logit) if sets else "",
            "logit": f"{logit:.8g}",
            "status": "done",
            "flags": "; ".join(flags),
        }
