"""A clinical table is checked before any scan; what was measured fills its gaps."""

from __future__ import annotations

import logging

import pandas as pd
import pytest

from hemocast.errors import TableError
from hemocast.pipeline.predictions.scores import known_patients, rows_of_scores, score_scan

TABLE = pd.DataFrame({"participant_id": ["sub-1"], "nihss": ["17"], "glucose_mmol_l": ["12"]})
WRONG = TABLE.assign(nihss=["99"])


def test_the_record_comes_first_and_what_was_measured_fills_its_gaps() -> None:
    known = known_patients([("c.csv", TABLE)], for_scores_alone=True)
    signs = {"hypodensity": "third_or_more", "infarct_ml": "80"}
    scored = score_scan(known.rows["sub-1"], "sub-1_ses-01", signs)
    hat = next(one for one in scored.results if one.score.name == "HAT")
    assert (hat.points, hat.measured) == (4, ("hypodensity",))
    row = next(r for r in rows_of_scores(scored, simulated=True) if r["score"] == "HAT")
    assert (row["scan_id"], row["points"], row["simulated"]) == ("sub-1_ses-01", "4", "1")


def test_a_later_table_comes_before_an_earlier_one() -> None:
    people = pd.DataFrame({"participant_id": ["sub-1", "sub-2"], "nihss": ["3", "4"]})
    known = known_patients([("a", people), ("b", TABLE)], for_scores_alone=True)
    assert known.rows["sub-1"]["nihss"] == 17
    assert known.rows["sub-2"]["nihss"] is None


def test_a_table_that_scores_cannot_use_is_refused_unless_the_model_needs_it(caplog) -> None:
    with pytest.raises(TableError, match="nihss"):
        known_patients([("c.csv", WRONG)], for_scores_alone=True)
    with caplog.at_level(logging.WARNING):
        assert known_patients([("c.csv", WRONG)], for_scores_alone=False) is None
    assert "No published scores" in caplog.text
