"""One row per patient and score, and tables that an evaluation takes."""

from __future__ import annotations

import json

from hemocast.classical.scores import Fact, Patient, all_scores, apply, facts_of
from hemocast.classical.scores.rows import (
    COLUMNS,
    Scored,
    points_as_predictions,
    risks_as_predictions,
    score_json,
    score_rows,
)

SCORES = all_scores()
GIVEN = {"aspects": 5, "nihss": 18, "atrial_fibrillation": 0, "age": 82, "treatment": "none"}


def _scored(**more: Fact) -> list[Scored]:
    facts = {**facts_of(GIVEN), **more}
    patient = Patient("a", "", facts, {"site": "North"})
    return [Scored(patient, tuple(apply(score, facts) for score in SCORES.values()))]


def _row(name: str, **more: Fact) -> dict[str, object]:
    return dict(next(row for row in score_rows(_scored(**more)) if row["score"] == name))


def test_a_row_says_points_risk_source_and_what_limits_them() -> None:
    row = _row("HTI", dense_artery=Fact("yes", measured=True))
    assert set(COLUMNS) <= set(row)
    assert (row["participant_id"], row["scan_id"], row["site"]) == ("a", "a", "North")
    assert (row["points"], row["points_low"], row["points_high"]) == (4, 4, 4)
    assert (row["risk"], row["risk_n"], row["measured"]) == (0.571, 783, "dense_artery")
    assert "10.1186/s12883-017-0958-3" in str(row["risk_source"])
    assert row["warnings"] == "population_unknown"


def test_a_missing_item_gives_a_range_and_its_name() -> None:
    row = _row("HTI")
    assert (row["points"], row["points_low"], row["points_high"]) == (None, 3, 4)
    assert (row["risk"], row["risk_low"], row["risk_high"]) == (None, 0.346, 0.571)
    assert row["missing"] == "dense_artery"


def test_unconfirmed_is_a_column_of_its_own() -> None:
    assert _row("TAG")["unconfirmed"] == "points"
    assert _row("SITS-SICH")["unconfirmed"] == "points;risk"
    assert _row("SEDAN")["unconfirmed"] == "risk"
    assert _row("HTI")["unconfirmed"] == ""


def test_without_a_table_of_risks_there_is_none() -> None:
    row = _row("TAG")
    assert (row["risk"], row["risk_low"], row["risk_source"]) == (None, None, None)
    assert row["risk_of"] == "symptomatic hemorrhage"


def test_json_holds_every_item_and_risk_and_can_be_read() -> None:
    content = json.loads(json.dumps(score_json(_scored(), SCORES.values())))
    assert content["schema_version"] == 1
    assert set(content["scores"]) == set(SCORES)
    (patient,) = content["patients"]
    hat = next(one for one in patient["results"] if one["score"] == "HAT")
    assert [item["name"] for item in hat["items"]] == [item.name for item in SCORES["HAT"].items]
    assert [risk["outcome"] for risk in hat["risks"]] == [r.outcome for r in SCORES["HAT"].risks]


def test_risks_are_predictions_and_what_has_none_is_refused() -> None:
    rows = {row["model"]: row for row in risks_as_predictions(_scored(dense_artery=Fact("yes")))}
    assert set(rows) == {name for name, s in SCORES.items() if s.predicts == "bleeding"}
    assert (rows["HTI"]["probability"], rows["HTI"]["status"]) == (0.571, "predicted")
    assert (rows["HAT"]["probability"], rows["HAT"]["status"]) == (None, "refused")
    assert rows["HAT"]["message"] == "an item is missing"


def test_points_are_ranks_from_0_to_1() -> None:
    rows = {row["model"]: row for row in points_as_predictions(_scored(dense_artery=Fact("yes")))}
    assert rows["HTI (points)"]["probability"] == 0.5
    assert set(rows) == {f"{name} (points)" for name in SCORES}
