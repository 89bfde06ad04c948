"""Readings as the reading room keeps them, matched to predictions."""

from __future__ import annotations

from pathlib import Path

from hemocast.evaluate.inputs.predictions import read_predictions
from hemocast.evaluate.inputs.readings import read_readings


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
