"""``hemocast recalibrate``, as typed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemocast.cli.main import run
from hemocast.model import load, load_default


def test_it_says_what_was_expected_found_and_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calibration = load_default().description.calibration
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 1.5, 150).round(6)
    rows = [
        f"p{i},s{i},{int(rng.random() < calibration.at_prevalence(0.1).probability(x))},"
        f"{calibration.probability(x):.6f},{x}"
        for i, x in enumerate(logits)
    ]
    table = tmp_path / "predictions.csv"
    table.write_text("\n".join(["participant_id,scan_id,label,probability,logit", *rows]) + "\n")
    with pytest.raises(SystemExit) as ended:
        run(["recalibrate", str(table), "--out", str(tmp_path / "model")])
    assert not ended.value.code
    said = capsys.readouterr().out
    assert "150 patients" in said
    assert "the curve was moved" in said
    assert "Label sets at 90%" in said
    assert load(tmp_path / "model").description.calibration.assumed < 0.3
