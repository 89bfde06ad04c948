from __future__ import annotations

from hemocast.pipeline.study.records import Sources, read_records
from hemocast.pipeline.study.results import results_of
from hemocast.report.checklists.checklist import Flag


def test_results_are_the_numbers_of_metrics_json(sources: Sources) -> None:
    records = read_records(sources)
    assert records.evaluation is not None
    auc = records.evaluation.models["model"].metrics["auc"]
    assert auc.value is not None
    assert auc.ci_low is not None
    told = {one.key: one.text for one in results_of(records, ())}
    assert f"AUC {auc.value:.3f} ({auc.ci_low:.3f} to " in told["performance"]
    assert "60 scans of 60 patients, 20 (33.3 %) of them with HT" in told["size"]
    assert "sex F" in told["subgroups"]
    assert "20 of the 60 evaluated patients are not in the dataset" in told["external"]
    assert "doubts" not in told


def test_doubts_are_among_the_results(sources: Sources) -> None:
    flags = (Flag("leakage", "high", "somebody is in both"),)
    told = {one.key: one.text for one in results_of(read_records(sources), flags)}
    assert told["doubts"] == "Somebody is in both."
