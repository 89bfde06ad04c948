import json
from dataclasses import replace
from pathlib import Path

import pytest

import hemocast.report
from hemocast.classical.scores import all_scores, apply, facts_of
from hemocast.model import LabelSets
from hemocast.report import prediction_json
from hemocast.signs.regions import EvidencePlaces, RegionEvidence

SCHEMA = json.loads(
    (Path(hemocast.report.__file__).parent / "prediction.schema.json").read_text(encoding="utf-8")
)


def test_it_follows_the_schema_and_survives_json(prediction, schema_faults) -> None:
    content = json.loads(json.dumps(prediction_json(prediction), allow_nan=False))
    assert schema_faults(content, SCHEMA) == []


def test_what_the_design_asks_for_is_there(prediction) -> None:
    content = prediction_json(prediction, scan_id="sub-0001_ses-01")
    assert content["schema_version"] == 4
    assert content["scan_id"] == "sub-0001_ses-01"
    assert content["probability"] == pytest.approx(0.37)
    assert content["probability_interval"] == pytest.approx([0.21, 0.56])
    assert content["model"] == {"name": "ctnet3d-demo", "version": "0.1.0", "hash": "c" * 64}
    assert content["simulated_training_data"] is True
    assert "demonstration model" in str(content["notice"])
    assert "Not a medical device" in str(content["notice"])


def test_what_the_interval_is_of_and_what_stays_possible(prediction, schema_faults) -> None:
    sets = LabelSets(0.9, zero_to=1.0, one_from=0.0, n_without=24, n_with=23)
    content = prediction_json(replace(prediction, label_sets=sets, prevalence=0.15))
    assert "calibration curve" in str(content["interval_kind"])
    assert "not of this patient's own" in str(content["interval_kind"])
    assert content["label_set"] == {"labels": [0, 1], "level": 0.9}
    assert content["prevalence"] == 0.15
    assert schema_faults(content, SCHEMA) == []
    assert prediction_json(prediction)["label_set"] is None


def test_the_prediction_names_the_scan_unless_told_otherwise(prediction) -> None:
    assert prediction_json(prediction)["scan_id"] == prediction.scan_id


def test_places_of_the_evidence_are_told_with_their_shares(prediction, schema_faults) -> None:
    one = RegionEvidence("left", "MCA", "M1", 0.71, 11.5)
    rest = RegionEvidence("right", "cerebellar", None, 0.29, 0.0)
    content = prediction_json(prediction, places=EvidencePlaces((one, rest), ()))
    assert schema_faults(content, SCHEMA) == []
    assert content["evidence"][0] == {
        "side": "left", "territory": "MCA", "region": "M1", "share": 0.71, "infarct_ml": 11.5,
    }  # fmt: skip
    assert prediction_json(prediction)["evidence"] is None


def test_scores_are_told_with_their_population(prediction, schema_faults) -> None:
    hat = apply(all_scores()["HAT"], facts_of({"nihss": 17, "hypodensity": "none"}))
    tag = apply(all_scores()["TAG"], facts_of({"aspects": 8}))
    content = json.loads(json.dumps(prediction_json(prediction, scores=(hat, tag))))
    assert schema_faults(content, SCHEMA) == []
    first = content["scores"][0]
    assert (first["points"], first["points_low"], first["points_high"]) == (None, 1, 2)
    assert first["population"] == "acute ischemic stroke, intravenous thrombolysis"
    assert prediction_json(prediction)["scores"] == []


def test_the_check_itself_sees_faults(prediction, schema_faults) -> None:
    content = prediction_json(replace(prediction, probability=1.2, model_hash="short"))
    content["extra"] = 1
    del content["horizon"]
    found = " ".join(schema_faults(content, SCHEMA))
    for part in (
        "$.probability",
        "$.model.hash",
        "'extra' was unexpected",
        "'horizon' is a required",
    ):
        assert part in found


def test_the_example_in_the_documents_is_valid_and_every_field_is_explained(
    schema_faults,
) -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "prediction-schema.md"
    text = page.read_text(encoding="utf-8")
    example = text.split("```json")[1].split("```")[0]
    assert schema_faults(json.loads(example), SCHEMA) == []
    table = text.split("```json")[0]
    for name in SCHEMA["properties"]:
        assert f"`{name}" in table
