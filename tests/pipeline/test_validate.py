"""A model at a new place: one page, nothing chosen, and no model judged twice unnoticed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hemocast.dataset import Dataset
from hemocast.errors import NothingThere
from hemocast.model import Calibration, Model, load_default
from hemocast.pipeline import validate
from hemocast.pipeline.predict import Case, CaseResult
from hemocast.pipeline.recalibrate import RecalibrationOptions, recalibrate_files
from hemocast.pipeline.validate import REGISTER, ValidateOptions, validate_model
from hemocast.stats import Resampling

pytestmark = pytest.mark.usefixtures("undrawn")
QUICK = Resampling(100)


def dataset_of(folder: Path, n: int = 60) -> Dataset:
    """Tables and names of a dataset, with scans of no content; of the last patient nothing more is
    known."""
    rows = []
    for i in range(n):
        name = f"sub-{i:04d}"
        place = folder / name / "ses-01" / "ct"
        place.mkdir(parents=True)
        (place / f"{name}_ses-01_ct.json").write_text("{}")
        (place / f"{name}_ses-01_ct.nii.gz").touch()
        label = "n/a" if i == n - 1 else str(int(i % 4 == 0))
        rows.append(f"{name}\t{label}")
    (folder / "labels.tsv").write_text("\n".join(["participant_id\tlabel", *rows]) + "\n")
    about = {
        "Name": "made up",
        "BIDSVersion": "1.9.0",
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "hemocast"}],
    }
    (folder / "dataset_description.json").write_text(json.dumps(about))
    return Dataset(folder)


def predicting(cases: Sequence[Case], model: Model, out: Path, **_: object) -> Iterator[CaseResult]:
    """Write what prediction would: the second scan is refused, every tenth doubted."""
    out.mkdir(parents=True, exist_ok=True)
    calibration: Calibration = model.description.calibration
    rng = np.random.default_rng(1)
    rows, signs = [], []
    for k, case in enumerate(cases):
        assert case.participant_id
        logit = float(rng.normal(1.5 if int(case.participant_id[4:]) % 4 == 0 else -0.5))
        row = {
            "case": case.number, "participant_id": case.participant_id, "scan_id": case.scan_id,
            "probability": round(calibration.probability(logit), 6), "logit": logit,
            "threshold": calibration.threshold, "status": "done", "code": "",
            "flags": "unlike the scans the model learned from (far)" if k % 10 == 0 else "",
            "simulated": "",
        }  # fmt: skip
        if k == 1:
            row |= {"status": "refused", "code": "HC303", "probability": "", "logit": ""}
        rows.append(row)
        signs.append(
            {"participant_id": case.participant_id, "scan_id": case.scan_id, "infarct_ml": k,
             "simulated": ""}
        )  # fmt: skip
        yield CaseResult(case.number, str(row["status"]), str(row["code"]), "", None, None)
    pd.DataFrame(rows).to_csv(out / "predictions.csv", index=False)
    pd.DataFrame(signs).to_csv(out / "signs.csv", index=False)


def test_the_page_tells_who_was_judged_and_what_speaks_against_trust(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validate, "predict_cases", predicting)
    dataset = dataset_of(tmp_path / "data")
    done = validate_model(None, dataset, tmp_path / "out", ValidateOptions(resampling=QUICK))
    flow = done.flow
    assert (flow.n_patients, flow.n_labelled, flow.n_scans, flow.n_predicted) == (60, 59, 59, 58)
    assert flow.refusals == (("HC303", 1),)
    assert done.doubted
    assert (done.doubted.n_doubted, done.doubted.drifted) == (6, True)
    assert not done.size.enough
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Too few patients for a precise answer" in page
    assert "The scan already shows blood" in page
    assert "more than chance explains" in page
    record = json.loads((tmp_path / "out" / "validation.json").read_text())
    assert record["model"]["hash"] == load_default().hash
    assert record["metrics"]["auc"]["value"] == pytest.approx(done.part["auc"].value)
    scans = pd.read_csv(tmp_path / "out" / "scans.csv")
    assert (len(scans), "infarct_ml" in scans) == (58, True)
    items = pd.read_csv(tmp_path / "out" / "study" / "checklists.csv")
    assert {name.split()[0] for name in items["checklist"]} >= {"TRIPOD+AI", "STARD-AI"}

    # A model recalibrated on these patients is not judged by them.
    table = tmp_path / "out" / "predictions" / "predictions.csv"
    options = RecalibrationOptions(labels=dataset.path("labels"))
    recalibrate_files(table, tmp_path / "local", options)
    local = validate_model(
        tmp_path / "local", dataset_of(tmp_path / "same"), tmp_path / "fitted",
        ValidateOptions(resampling=QUICK),
    )  # fmt: skip
    assert local.calibrated_here
    assert "recalibrated on these very patients" in (tmp_path / "fitted/report.html").read_text()
    assert not done.calibrated_here

    # The same again says the same; a second model on the same outcomes is told of.
    again = validate_model(None, dataset, tmp_path / "out", ValidateOptions(resampling=QUICK))
    assert again.others == 0
    table = pd.read_csv(dataset.root / REGISTER, sep="\t")
    assert list(table["model"]) == ["demonstration"]
    table.loc[0, "model_hash"] = "0" * 64
    table.to_csv(dataset.root / REGISTER, sep="\t", index=False)
    other = validate_model(
        None, dataset, tmp_path / "other",
        ValidateOptions(resampling=QUICK, reference=tmp_path / "out" / "scans.csv"),
    )  # fmt: skip
    assert other.others == 1
    assert [one.feature for one in other.compared] == ["probability", "infarct_ml"]
    assert "1 other model(s) were held against" in (tmp_path / "other" / "report.html").read_text()


def test_a_dataset_without_outcomes_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path / "data")
    (dataset.root / "labels.tsv").unlink()
    with pytest.raises(NothingThere):
        validate_model(None, dataset, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_real_scans_go_through_it(dataset: Dataset, model, tmp_path: Path, drawn: None) -> None:
    here = tmp_path / "data"
    shutil.copytree(dataset.root, here)
    done = validate_model(
        model.folder, Dataset(here), tmp_path / "out", ValidateOptions(resampling=QUICK)
    )
    assert done.evaluation.simulated
    assert done.flow.n_predicted + sum(n for _, n in done.flow.refusals) == done.flow.n_scans
    assert "SIMULATED" in (tmp_path / "out" / "report.html").read_text()
    told = pd.read_csv(here / REGISTER, sep="\t")
    assert told["model_hash"].tolist() == [done.hash]
