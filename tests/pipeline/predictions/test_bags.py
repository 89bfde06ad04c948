"""A patient with several scans gets one more row, which always says what holds now."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hemocast.evaluate.inputs.predictions import read_predictions
from hemocast.model import Calibration, LabelSets
from hemocast.pipeline.predictions.bags import Bags, bags
from hemocast.pipeline.predictions.folder import TABLE, CaseResult, PredictionsFolder

CALIBRATION = Calibration(
    0.8, 0.1, ((0.04, 0.0), (0.0, 0.09)), 0.4, 40, 30, label_sets=LabelSets(0.9, 1.0, -1.0, 20, 20)
)


def told(scan: str, logit: float, *flags: str, patient: str | None = "p1") -> CaseResult:
    said = SimpleNamespace(
        logit=logit,
        probability=CALIBRATION.probability(logit),
        probability_interval=CALIBRATION.interval(logit),
        threshold=CALIBRATION.threshold,
        label_set_text="",
        flags=flags,
    )
    return CaseResult(1, "done", "", "", patient, scan, said)  # type: ignore[arg-type]


def refused(scan: str) -> CaseResult:
    return CaseResult(1, "refused", "HC303", "HC303 blood", "p1", scan)


def run(out: Path, *results: CaseResult) -> list[dict[str, str]]:
    with PredictionsFolder.open(out, "a" * 64) as folder:
        for result in results:
            folder.add(result, Path("p"))
            folder.add_bag(result.participant_id, CALIBRATION)
    with (out / TABLE).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def bag_of(rows: list[dict[str, str]], patient: str = "p1") -> dict[str, str] | None:
    found = [r for r in rows if (r["participant_id"], r["scan_id"]) == (patient, "all")]
    assert len(found) <= 1
    return found[0] if found else None


def test_it_is_the_calibrated_mean_of_the_logits_with_every_doubt(tmp_path: Path) -> None:
    rows = run(tmp_path, told("s1", 2.0, "thick"), told("s2", -1.0, "thick", "cut"))
    bag = bag_of(rows)
    assert bag is not None
    assert float(bag["logit"]) == 0.5
    assert float(bag["probability"]) == pytest.approx(CALIBRATION.probability(0.5), abs=1e-6)
    interval = [float(bag["probability_low"]), float(bag["probability_high"])]
    np.testing.assert_allclose(interval, CALIBRATION.interval(0.5), atol=1e-6)
    assert (bag["status"], bag["label_set"], bag["flags"]) == ("done", "{0, 1}", "thick; cut")
    assert float(bag["threshold"]) == CALIBRATION.threshold
    assert len(rows) == 3


def test_one_scan_and_scans_of_nobody_known_make_none(tmp_path: Path) -> None:
    nobody = [told(f"x{i}", 1.0, patient=None) for i in range(2)]
    other = [told("t1", 1.0, patient="p2"), told("t2", 3.0, patient="p2")]
    rows = run(tmp_path, told("s1", 2.0), *nobody, *other)
    assert bag_of(rows) is bag_of(rows, "n/a") is None
    assert len(rows) == 6


def test_it_follows_every_scan_of_this_run_and_of_later_ones(tmp_path: Path) -> None:
    rows = run(tmp_path, told("s1", 2.0), told("s2", -1.0), told("s3", 5.0))
    assert float(str((bag_of(rows) or {})["logit"])) == 2.0
    rows = run(tmp_path, told("s4", 6.0))
    assert float(str((bag_of(rows) or {})["logit"])) == 3.0
    rows = run(tmp_path, refused("s3"), refused("s4"))
    assert float(str((bag_of(rows) or {})["logit"])) == 0.5
    rows = run(tmp_path, refused("s1"), refused("s2"))
    bag = bag_of(rows)
    assert bag is not None
    assert (bag["status"], bag["probability"], bag["logit"]) == ("refused", "", "")
    assert len(rows) == 5


def test_a_run_that_ended_before_it_was_written_is_made_good_by_the_next(tmp_path: Path) -> None:
    with PredictionsFolder.open(tmp_path, "a" * 64) as folder:
        for scan in ("s1", "s2"):
            folder.add(told(scan, 1.0), Path("p"))
    rows = run(tmp_path, CaseResult(1, "skipped", "", "", "p1", "s1"))
    assert bag_of(rows) is not None


def test_a_users_column_in_it_stays(tmp_path: Path) -> None:
    run(tmp_path, told("s1", 2.0), told("s2", -1.0))
    lines = (tmp_path / TABLE).read_text().splitlines()
    lines = [f"{line},{'seen' if i == 0 else i}" for i, line in enumerate(lines)]
    (tmp_path / TABLE).write_text("\n".join(lines) + "\n")
    rows = run(tmp_path, told("s3", 0.0))
    assert (bag_of(rows) or {})["seen"] == "3"


def test_rows_of_a_version_without_logits_make_none() -> None:
    old = [
        {"participant_id": "p1", "scan_id": f"s{i}", "status": "done", "probability": "0.4"}
        for i in range(2)
    ]
    assert Bags(old).row_of("p1", CALIBRATION) is None


def test_evaluate_judges_scans_or_patients_by_the_table(tmp_path: Path) -> None:
    run(
        tmp_path, told("s1", 2.0), told("s2", -1.0), told("t1", 0.0, patient="p2"),
        told("u1", -2.0, patient="p3"),
    )  # fmt: skip
    labels = tmp_path / "labels.csv"
    labels.write_text("participant_id,label\np1,1\np2,0\np3,0\n")
    scans = read_predictions(tmp_path / TABLE, labels=labels)
    people = read_predictions(tmp_path / TABLE, labels=labels, level="patient")
    assert (len(scans.scan), len(people.scan)) == (4, 3)
    assert people.models[0].cases.score.max() == pytest.approx(CALIBRATION.probability(0.5), 1e-5)


def test_judged_scans_are_put_together_likewise() -> None:
    judged = [("a", "a1", 1, 2.0), ("a", "a2", 1, -1.0), ("b", "b1", 0, 0.3)]
    assert bags(judged) == [("a", "all", 1, 0.5)]
