"""Results of a model: taken as they are, or refused with every fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hemocast.dataset import Dataset
from hemocast.errors import NothingThere, TableError
from hemocast.readers.study.aid import read_results
from hemocast.readers.study.create import StudyPlan, create_study

SCANS = ["sub-a1_ses-01", "sub-b2_ses-01"]


def test_a_models_table_alone_makes_an_aided_arm_without_heatmaps(
    dataset: Dataset, results: Callable[..., Path]
) -> None:
    table = results(
        "scan_id,probability,model,other",
        "sub-a1_ses-01,0.25,net,x",
        "sub-b2_ses-01,1,net,x",
        "sub-zz_ses-01,0.5,net,x",
    )
    made = create_study(dataset, "aided", StudyPlan(readers=("A",)), model=table)
    assert made.design.arms == ("unaided", "aided")
    assert made.design.model.probabilities == {"sub-a1_ses-01": 0.25, "sub-b2_ses-01": 1.0}
    assert (made.design.model.name, made.design.model.heatmaps) == ("net", False)
    assert made.design.model.simulated_training_data is False


def test_what_predict_leaves_is_read_with_its_heatmaps(tmp_path: Path) -> None:
    header, rows = "scan_id,status,probability,threshold", [f"{s},done,0.125,0.4" for s in SCANS]
    (tmp_path / "predictions.csv").write_text(
        "\n".join([header, *rows, "sub-c3_ses-01,refused,,"]) + "\n"
    )
    for scan in SCANS:
        (tmp_path / scan).mkdir()
        record = {
            "model": {"name": "net"}, "simulated_training_data": scan == SCANS[1],
            "heatmap_unit": "log-odds per cm3",
        }  # fmt: skip
        (tmp_path / scan / "prediction.json").write_text(json.dumps(record))
        (tmp_path / scan / "heatmap.nii.gz").touch()
    results = read_results(tmp_path, [*SCANS, "sub-c3_ses-01"])
    aid = results.aid(SCANS, simulated=False)
    assert (aid.name, aid.threshold, aid.heatmaps) == ("net", 0.4, True)
    assert aid.probabilities == dict.fromkeys(SCANS, 0.125)
    assert aid.simulated_training_data is True  # one of two says so
    assert results.heatmap(SCANS[0]) == tmp_path / SCANS[0] / "heatmap.nii.gz"
    with pytest.raises(TableError, match="1 of 3 case"):
        results.aid([*SCANS, "sub-c3_ses-01"], simulated=False)
    (tmp_path / SCANS[0] / "heatmap.nii.gz").unlink()
    assert results.aid(SCANS, simulated=False).heatmaps is False
    older = json.dumps({"model": {"name": "net"}, "simulated_training_data": False})
    for record in (older, "[]"):
        (tmp_path / SCANS[1] / "prediction.json").write_text(record)
        with pytest.raises(TableError, match="heatmaps not said to be in log-odds per cm3"):
            read_results(tmp_path, SCANS)
    assert read_results(tmp_path / "predictions.csv", SCANS).heatmap(SCANS[1]) is None
    (tmp_path / SCANS[1] / "heatmap.nii.gz").unlink()
    assert read_results(tmp_path, SCANS).simulated_training_data is False


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (("scan_id,p", "sub-a1_ses-01,0.5"), "no column probability"),
        (("scan_id,probability", "sub-a1_ses-01,0.5", "sub-a1_ses-01,0.5"), "1 bad cell.* scan_id"),
        (
            ("scan_id,probability", "sub-a1_ses-01,nan", "sub-b2_ses-01,1.5"),
            "2 bad cell.* prob",
        ),
        (("scan_id,probability,threshold", "sub-a1_ses-01,1,x", "sub-b2_ses-01,1,"), "threshold"),
        (("scan_id,probability,threshold", "sub-a1_ses-01,1,1.5"), "threshold"),
    ],
)
def test_results_that_do_not_fit_are_refused_before_any_picture_is_made(
    dataset: Dataset, results: Callable[..., Path], rows: tuple[str, ...], words: str
) -> None:
    with pytest.raises(TableError, match=words):
        create_study(dataset, "bad", StudyPlan(readers=("A",)), model=results(*rows))
    assert not (dataset.root / "derivatives" / "hemocast" / "readers" / "bad").exists()


def test_a_case_without_a_result_is_refused(dataset: Dataset, results: Callable[..., Path]) -> None:
    table = results("scan_id,probability", "sub-a1_ses-01,0.5")
    with pytest.raises(TableError, match="1 of 2 case"):
        create_study(dataset, "lacking", StudyPlan(readers=("A",)), model=table)


def test_results_that_are_not_there_are_said(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(NothingThere):
            read_results(path, SCANS)
