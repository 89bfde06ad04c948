"""Readings as the reading room keeps them, matched to predictions."""

from __future__ import annotations

from pathlib import Path

from hemocast.evaluate.inputs.predictions import read_predictions
from hemocast.evaluate.inputs.readings import read_readings
from hemocast.readers.analysis.analyse import analyse_readings
from hemocast.stats import Resampling


def test_a_page_left_open_for_days_is_read_as_it_was_kept(tmp_path: Path) -> None:
    predictions = tmp_path / "predictions.csv"
    predictions.write_text("participant_id,scan_id,label,probability\np1,s1,1,0.9\n")
    readings = tmp_path / "readings.csv"
    readings.write_text(
        "reader_id,participant_id,scan_id,probability,decision,seconds,simulated\n"
        "A,p1,s1,0.7,1,604800.0,1\n"
    )
    found = read_readings(readings, read_predictions(predictions))
    assert found.seconds.tolist() == [7 * 86400]
    assert found.simulated


def test_readings_of_scans_without_an_outcome_are_counted_and_left_out(tmp_path: Path) -> None:
    predictions = tmp_path / "predictions.csv"
    head = "participant_id,scan_id,label,probability,outcome_status\n"
    predictions.write_text(head + "p1,s1,1,0.9,\np2,s2,n/a,0.4,death\n")
    readings = tmp_path / "readings.csv"
    head = "reader_id,participant_id,scan_id,probability,decision\n"
    readings.write_text(head + "A,p1,s1,0.7,1\nA,p2,s2,0.2,0\n")
    table = read_predictions(predictions)
    found = read_readings(readings, table)
    assert (found.row.tolist(), found.n_unobserved) == ([0], 1)
    warnings = analyse_readings(found, table.models, Resampling(100)).warnings
    assert warnings[0] == "readings of scans whose outcome was never observed, left out: 1"
