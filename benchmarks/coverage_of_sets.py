"""What label sets and intervals cover: coverage_of_sets.py STACKS OUT.jsonl [MODEL]; it goes on.

STACKS is the folder ``stacks`` of a cohort of ``hemocast simulate --format stacks``, of patients
that MODEL (the demonstration model) never saw. Again and again some of them are drawn to calibrate
on, as an inner validation part is; of the others, one scan each: do the sets hold the outcome, by
class, and the interval of the calibration curve the patient's true risk? Also after a change of
prevalence, and after recalibration on 100 patients.
"""

from __future__ import annotations

import csv
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
from heads import Row, rows_of

from hemocast.model import Calibration, Model, fit_calibration, load, load_default, recalibrate
from hemocast.train import StackTable
from hemocast.volume import from_levels

DRAWS = 400
SIZES = (46, 95, 190, 380)
PREVALENCE = 0.15


@lru_cache(maxsize=1)
def _model() -> Model:
    return load(Path(sys.argv[3]), threads=1) if len(sys.argv) > 3 else load_default(threads=1)


@lru_cache(maxsize=1)
def _table() -> tuple[StackTable, np.ndarray, dict[str, int]]:
    table = StackTable.of_folder(Path(sys.argv[1]))
    return table, table.open(), {scan: i for i, scan in enumerate(table.scan_id)}


def _logit(key: str) -> Row:
    table, array, place = _table()
    return {"logit": float(_model().logits(from_levels(array[table.rows[place[key]]])[None])[0])}


def _said(value: list[float]) -> str:
    """Mean over the draws, and the middle 95 % of them, in per cent."""
    low, high = np.nanquantile(value, [0.025, 0.975])
    return f"{100 * np.nanmean(value):.1f} ({100 * low:.0f} to {100 * high:.0f})"


class Patients:
    """One scan of each patient drawn at random, with all of theirs to calibrate on."""

    def __init__(self, logit: np.ndarray, risk: dict[str, tuple[float, float]]) -> None:
        table, _, _ = _table()
        self.logit, self.label = logit, np.array(table.label)
        people, self.patient = np.unique(table.participant_id, return_inverse=True)
        self.weight = 1 / np.bincount(self.patient)[self.patient]
        self.risk = np.array([risk[person] for person in people])[self.patient]
        self.n = len(people)

    def draw(self, rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the scans of so many patients, and one scan of each other one."""
        order = rng.permutation(self.n)
        learned = np.flatnonzero(np.isin(self.patient, order[:size]))
        rest = rng.permutation(np.flatnonzero(~np.isin(self.patient, order[:size])))
        return learned, rest[np.unique(self.patient[rest], return_index=True)[1]]

    def fit(self, some: np.ndarray) -> Calibration:
        """Calibrate on some scans."""
        return fit_calibration(
            self.label[some], self.logit[some], self.weight[some], self.patient[some]
        )


def _sets(patients: Patients, size: int) -> None:
    rng = np.random.default_rng(size)
    names = ("with HT", "without HT", "decided", "decided right", "risk", "image risk")
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(DRAWS):
        learned, fresh = patients.draw(rng, size)
        calibration = patients.fit(learned)
        sets = [calibration.label_sets.of(x) for x in patients.logit[fresh]]
        label = patients.label[fresh]
        held = np.array([one in labels for one, labels in zip(label, sets, strict=True)])
        single = np.array([len(labels) == 1 for labels in sets])
        ends = np.array([calibration.interval(x) for x in patients.logit[fresh]])
        found["with HT"].append(held[label == 1].mean())
        found["without HT"].append(held[label == 0].mean())
        found["decided"].append(single.mean())
        found["decided right"].append(held[single].mean() if single.any() else np.nan)
        for k, name in enumerate(("risk", "image risk")):
            risk = patients.risk[fresh, k]
            found[name].append(((ends[:, 0] <= risk) & (risk <= ends[:, 1])).mean())
    print(f"{size} patients: " + "; ".join(f"{name} {_said(found[name])}" for name in names))


def _shift(patients: Patients) -> None:
    """Calibrate on the cohort's mix; predict where HT is rarer, with and without being told."""
    rng = np.random.default_rng(1)
    plain, told, covered = [], [], []
    local: dict[str, list[float]] = {}
    for _ in range(DRAWS):
        learned, fresh = patients.draw(rng, 95)
        calibration = patients.fit(learned)
        ones, zeros = (fresh[patients.label[fresh] == one] for one in (1, 0))
        keep = rng.choice(ones, round(len(zeros) * PREVALENCE / (1 - PREVALENCE)), replace=False)
        rare = rng.permutation(np.r_[zeros, keep])
        test, own = rare[100:], rare[:100]
        truth = patients.label[test].mean()
        for curve, off in ((calibration, plain), (calibration.at_prevalence(PREVALENCE), told)):
            off.append(np.mean([curve.probability(x) for x in patients.logit[test]]) - truth)
        sets = calibration.label_sets
        covered.append(np.mean([1 in sets.of(x) for x in patients.logit[keep]]))
        try:
            new, change = recalibrate(
                calibration, patients.logit[own], patients.label[own], patients.patient[own]
            )
        except ValueError:
            continue
        off = np.mean([new.probability(x) for x in patients.logit[test]]) - truth
        local.setdefault(str(change), []).append(off)
    print(f"HT in {PREVALENCE:.0%}, mean probability minus truth: as it is {_said(plain)}")
    print(f"  told by --prevalence {_said(told)}; sets of patients with HT cover {_said(covered)}")
    for change, off in local.items():
        print(f"  recalibrated on 100 patients, curve {change} ({len(off)} draws): {_said(off)}")


def main() -> None:
    """Count."""
    table, _, _ = _table()
    logit = np.array([r["logit"] for r in rows_of(Path(sys.argv[2]), list(table.scan_id), _logit)])
    with (Path(sys.argv[1]).parent / "truth" / "patients.csv").open(newline="") as file:
        risk = {
            row["participant_id"]: (float(row["risk"]), float(row["risk_image"]))
            for row in csv.DictReader(file)
        }
    patients = Patients(logit, risk)
    print(f"{patients.n} patients, {len(logit)} scans; level 90 %; mean and middle 95 % of {DRAWS}")
    for size in SIZES:
        _sets(patients, size)
    _shift(patients)


if __name__ == "__main__":
    main()
