from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hemocast.model import load_default
from hemocast.model.recalibrate import Change
from hemocast.pipeline.study.bias import flags_of
from hemocast.pipeline.study.records import Records, Sources, read_records


def raised(records: Records) -> dict[str, str]:
    return {flag.code: flag.severity for flag in flags_of(records)}


def test_patients_learned_from_are_leakage(sources: Sources) -> None:
    records = read_records(sources)
    assert raised(records)["leakage"] == "high"
    assert "30 of the evaluated patients" in flags_of(records)[0].text


def test_without_a_table_leakage_is_not_known(sources: Sources) -> None:
    found = raised(read_records(replace(sources, predictions=None)))
    assert found["leakage"] == "not known"


def test_patients_of_the_test_part_alone_are_an_internal_evaluation(
    sources: Sources, tmp_path: Path
) -> None:
    told = tmp_path / "test.csv"
    told.write_text("participant_id\n" + "".join(f"p{i}\n" for i in range(10)), encoding="utf-8")
    found = raised(read_records(replace(sources, predictions=told)))
    assert "leakage" not in found
    assert found["internal-only"] == "some"


def test_few_events_are_flagged(sources: Sources) -> None:
    assert raised(read_records(sources))["few-events"] == "some"


def test_one_probability_for_all_has_no_calibration(sources: Sources) -> None:
    records = read_records(sources)
    assert "no-calibration" not in raised(records)
    assert records.evaluation is not None
    model = records.evaluation.models["model"]
    bare = model.model_copy(update={"calibration": {"reason": "one probability for all"}})
    evaluation = records.evaluation.model_copy(update={"models": {"model": bare}})
    assert raised(replace(records, evaluation=evaluation))["no-calibration"] == "high"


def test_a_primary_endpoint_of_yes_and_no_is_dichotomised(
    tmp_path: Path, evaluated: Callable[..., Path]
) -> None:
    auc = read_records(Sources(evaluated(tmp_path / "a", primary="auc")))
    f1 = read_records(Sources(evaluated(tmp_path / "b", primary="f1")))
    assert "dichotomised" not in raised(auc)
    assert raised(f1)["dichotomised"] == "some"


def test_what_the_external_labels_chose_is_flagged(sources: Sources) -> None:
    records = read_records(sources)
    assert "chosen-here" not in raised(records)
    assert records.evaluation is not None
    model = records.evaluation.models["model"].model_copy(update={"threshold_source": "prevalence"})
    evaluation = records.evaluation.model_copy(update={"models": {"model": model}})
    assert raised(replace(records, evaluation=evaluation))["chosen-here"] == "some"


def test_a_calibration_fitted_on_the_evaluated_scans_is_flagged(sources: Sources) -> None:
    records = read_records(sources)
    says = load_default().description
    fitted = replace(says.calibration, n_scans=60, n_patients=60)
    changed = says.model_copy(update={"calibration": fitted, "recalibrated": Change.REFITTED})
    assert raised(replace(records, model=changed))["chosen-here"] == "high"
    assert "chosen-here" not in raised(replace(records, model=says))


@pytest.mark.parametrize("simulated", [True, False])
def test_simulated_data_are_said_to_be(sources: Sources, simulated: bool) -> None:
    records = read_records(sources)
    assert records.evaluation is not None
    evaluation = records.evaluation.model_copy(update={"simulated": simulated})
    assert ("simulated" in raised(replace(records, evaluation=evaluation))) is simulated
