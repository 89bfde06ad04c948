"""Paths in, results out: every scan its folder, every bad case its code, nothing half-written."""

from __future__ import annotations

import csv
import gc
import json
import re
import shutil
import subprocess
import sys
import tempfile
import weakref
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hemocast import files
from hemocast.dataset import Dataset, participant_id
from hemocast.dataset.scan_id import ALL
from hemocast.dicom import find_scans
from hemocast.errors import HemocastError, InUse, OutputExists
from hemocast.evaluate.inputs.predictions import read_predictions
from hemocast.files import reserved
from hemocast.model import Model
from hemocast.pipeline.predict import Beside, CaseResult, cases_of, predict_cases
from hemocast.pipeline.predictions.folder import COLUMNS
from hemocast.pipeline.train import Purpose, TrainOptions, train_and_test
from hemocast.report.words import percent
from hemocast.simulate import MARK, Truth
from hemocast.volume import Source

KEY = b"k" * 32
FILES = {"prediction.json", "montage.png", "report.html", "heatmap.nii.gz", "infarct.nii.gz"}


def _table(out: Path) -> list[dict[str, str]]:
    with (out / "predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _run(paths: list[Path], model, out: Path) -> list[CaseResult]:
    return list(predict_cases(cases_of(paths), model.trained.model, out))


@pytest.fixture
def scan(cohort: Truth) -> Path:
    """A DICOM folder of one simulated scan."""
    return cohort.dicom / cohort.patients[0].scans[0].folder


def test_a_scan_gives_all_its_files(scan: Path, model, tmp_path: Path) -> None:
    (result,) = _run([scan], model, tmp_path)
    assert result.status == "done"
    assert result.folder is not None
    assert {path.name for path in result.folder.iterdir()} == FILES
    content = json.loads((result.folder / "prediction.json").read_text())
    assert content["schema_version"] == 4
    assert content["scan_id"] == result.scan_id
    assert 0 <= content["probability_interval"][0] <= content["probability"] <= 1
    assert content["simulated_training_data"] is True
    # The model's frames are not those that regions are measured on.
    shares = [one["share"] for one in content["evidence"] or ()]
    assert bool(shares) == bool((result.prediction.heatmap > 0).any())
    assert not shares or sum(shares) == pytest.approx(1)
    page = (result.folder / "report.html").read_text()
    assert "not for clinical use" in page


def test_scores_are_the_same_numbers_in_page_json_and_table(
    scan: Path, cohort: Truth, model, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text((b"k" * 32).hex())
    patient = participant_id(b"k" * 32, cohort.patients[0].patient_id)
    known = tmp_path / "known.csv"
    known.write_text(
        "participant_id,nihss,glucose_mmol_l,treatment,age\n"
        f"{patient},17,12.0,thrombolytic,70\nsub-other,3,,none,50\n"
    )
    (result,) = predict_cases(
        cases_of([scan]), model.trained.model, tmp_path / "out", key=tmp_path / "key",
        beside=Beside(known),
    )  # fmt: skip
    assert result.status == "done", result.message
    told = json.loads((result.folder / "prediction.json").read_text())["scores"]
    with (tmp_path / "out" / "scores.csv").open(newline="") as file:
        rows = {row["score"]: row for row in csv.DictReader(file)}
    assert [one["score"] for one in told] == list(rows)
    page = (result.folder / "report.html").read_text()
    names = ("points", "points_low", "points_high", "risk", "risk_low", "risk_high")
    for one in told:
        row = rows[one["score"]]
        assert row["scan_id"] == result.scan_id
        assert row["simulated"] == "1"
        assert [row[name] for name in names] == [
            "" if one[name] is None else str(one[name]) for name in names
        ]
    hat = next(one for one in told if one["score"] == "HAT")
    assert hat["measured"] == ["hypodensity"]
    risk = percent(hat["risk"])
    said = f"<strong>HAT</strong> {hat['points']} of 5; <strong>{risk}</strong> symptomatic"
    assert said in page


def test_a_patient_whom_the_table_does_not_know_has_no_scores(
    scan: Path, model, tmp_path: Path
) -> None:
    known = tmp_path / "known.csv"
    known.write_text("participant_id,nihss\nsub-other,3\n")
    (result,) = predict_cases(
        cases_of([scan]), model.trained.model, tmp_path / "out", beside=Beside(known)
    )
    assert json.loads((result.folder / "prediction.json").read_text())["scores"] == []
    assert "Published scores" not in (result.folder / "report.html").read_text()
    assert not (tmp_path / "out" / "scores.csv").exists()


def test_everything_simulated_says_so(scan: Path, model, tmp_path: Path) -> None:
    (result,) = _run([scan], model, tmp_path)
    assert result.folder is not None
    content = json.loads((result.folder / "prediction.json").read_text())
    assert any("simulated" in flag.lower() for flag in content["flags"])
    assert "SIMULATED" in MARK
    assert result.simulated
    assert _table(tmp_path)[0]["simulated"] == "1"


class _TrainedOnPatients:
    """A model like the given one, whose training data were no simulation."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.description = model.description.model_copy(update={"simulated_training_data": False})

    def __getattr__(self, name: str) -> object:
        return getattr(self._model, name)


@pytest.mark.parametrize("simulated_scan", [True, False])
def test_a_scan_or_its_models_training_makes_a_row_simulated(
    scan: Path, model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, simulated_scan: bool
) -> None:
    if not simulated_scan:
        monkeypatch.setattr(Source, "simulated", property(lambda _: False))
    plain = _TrainedOnPatients(model.trained.model)
    (by_scan,) = predict_cases(cases_of([scan]), plain, tmp_path / "a")  # type: ignore[arg-type]
    (by_model,) = predict_cases(cases_of([scan]), model.trained.model, tmp_path / "b")
    assert (by_scan.simulated, by_model.simulated) == (simulated_scan, True)
    assert _table(tmp_path / "a")[0]["simulated"] == str(int(simulated_scan))


def test_evaluating_a_predicted_table_says_simulated(dataset, model, tmp_path: Path) -> None:
    paths = sorted(dataset.root.glob("sub-*/ses-01/ct/*_ct.nii.gz"))[:2]
    _run(paths, model, tmp_path / "out")
    rows = [row | {"label": i % 2} for i, row in enumerate(_table(tmp_path / "out"))]
    with (tmp_path / "labelled.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    table = read_predictions(tmp_path / "labelled.csv")
    assert table.simulated
    assert table.groupings == ()
    assert table.unused == ()


def test_the_heatmap_lies_on_the_scans_own_grid(scan: Path, model, tmp_path: Path) -> None:
    from hemocast import dicom

    (result,) = _run([scan], model, tmp_path)
    assert result.folder is not None
    heat = nibabel.load(result.folder / "heatmap.nii.gz")
    volume = dicom.read(scan)
    assert heat.shape == volume.hu.shape[::-1]
    assert np.allclose(heat.affine, volume.affine, atol=1e-3)


def test_a_zip_and_its_folder_give_the_same(scan: Path, model, tmp_path: Path) -> None:
    archive = tmp_path / "scan.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for path in scan.iterdir():
            opened.write(path, path.name)
    first, second = _run([scan, archive], model, tmp_path / "out")
    assert first.scan_id == second.scan_id
    assert first.prediction is not None
    assert second.prediction is not None
    assert first.prediction.probability == second.prediction.probability
    assert len(_table(tmp_path / "out")) == 2


def test_a_nifti_of_a_dataset_keeps_its_names(dataset, model, tmp_path: Path) -> None:
    path = next(dataset.root.glob("sub-*/ses-01/ct/*_ct.nii.gz"))
    (result,) = _run([path], model, tmp_path)
    assert result.scan_id == path.name.removesuffix("_ct.nii.gz")
    assert _table(tmp_path)[0]["participant_id"] == path.name.split("_")[0]


@pytest.mark.parametrize("name", ["sub-DOEJOHN1933_ses-01", "sub-0123456789ab_ses-19330204"])
def test_a_name_of_others_goes_nowhere(name: str, dataset, model, tmp_path: Path) -> None:
    path = tmp_path / f"{name}_ct.nii.gz"
    shutil.copy(next(dataset.root.glob("sub-*/ses-01/ct/*_ct.nii.gz")), path)
    out = tmp_path / "out"
    (result,) = _run([path], model, out)
    assert result.status == "done"
    known = _table(out)[0]["participant_id"]
    assert re.fullmatch("sub-[0-9a-f]{12}", known)
    assert known not in name
    for written in out.rglob("*"):
        assert name.split("_")[0] not in str(written.relative_to(tmp_path))
        if written.is_file() and written.name != "linkage.csv":
            assert name.encode() not in written.read_bytes()


def test_bad_cases_cost_only_themselves(cohort: Truth, scan: Path, model, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    text = tmp_path / "text"
    text.mkdir()
    (text / "a.dcm").write_text("not an image")
    gap = tmp_path / "gap"
    shutil.copytree(scan, gap)
    from hemocast import dicom

    middle = dicom.read(scan).slices[15][0]
    _remove_image(gap, middle)
    two = tmp_path / "two"
    shutil.copytree(scan, two / "a")
    shutil.copytree(cohort.dicom / cohort.patients[1].scans[0].folder, two / "b")
    paths = [empty, tmp_path / "missing", text, gap, two, scan]
    results = _run(paths, model, tmp_path / "out")
    assert [result.code for result in results] == ["HC101", "HC101", "HC102", "HC203", "HC202", ""]
    table = _table(tmp_path / "out")
    assert [row["case"] for row in table] == list("123456")
    assert [row["status"] for row in table] == ["refused"] * 5 + ["done"]
    page = tmp_path / "out" / str(results[3].scan_id) / "report.html"
    assert results[3].scan_id == results[5].scan_id
    whole = page.read_bytes()  # the whole series has the same name, and came later
    assert b"Why (HC203)" not in whole
    assert _run([gap], model, tmp_path / "out")[0].code == "HC203"
    assert page.read_bytes() == whole
    _run([gap], model, tmp_path / "alone")
    (page,) = (tmp_path / "alone").glob("*/report.html")
    assert "Why (HC203)" in page.read_text(encoding="utf-8")
    text_of_table = (tmp_path / "out" / "predictions.csv").read_text()
    assert str(tmp_path) not in text_of_table
    assert all(patient.patient_id not in text_of_table for patient in cohort.patients)


def _remove_image(folder: Path, sop_uid: str) -> None:
    import pydicom

    for path in folder.iterdir():
        if pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID == sop_uid:
            path.unlink()
            return
    raise AssertionError("no such image")


def test_nothing_half_written_stays_when_writing_fails(
    scan: Path, model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hemocast import report

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(report, "write_case_page", fail)
    (result,) = _run([scan], model, tmp_path)
    assert result.status == "failed"
    assert result.code == "HC999"
    log = Path(result.message.split("its cause is in ")[1].split()[0].rstrip("."))
    assert "disk full" in log.read_text()
    assert "disk full" not in result.message
    assert {path.name for path in tmp_path.iterdir() if path.name[0] != "."} == {
        "predictions.csv", "linkage.csv", "names.json",
    }  # fmt: skip
    assert not list(tmp_path.glob(f"{files.TEMPORARY}*"))


def test_predicting_again_replaces_our_files_and_keeps_the_users(
    scan: Path, model, tmp_path: Path
) -> None:
    """The whole folder of a scan was removed before, and the table's other columns were."""
    (first,) = _run([scan], model, tmp_path)
    assert first.folder is not None
    (first.folder / "notes.txt").write_text("seen by K.")
    (first.folder / "montage.png").unlink()
    table = tmp_path / "predictions.csv"
    rows = _table(tmp_path)
    with table.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, ["label", *rows[0], "change"])
        writer.writeheader()
        writer.writerow(rows[0] | {"label": "1", "change": "-3"})
        writer.writerow(rows[0] | {"scan_id": "of-before", "label": "0", "change": "=A1"})
    (second,) = _run([scan], model, tmp_path)
    assert (second.status, second.folder) == ("done", first.folder)
    assert {path.name for path in first.folder.iterdir()} == {*FILES, "notes.txt"}
    before, now, both = _table(tmp_path)
    assert both["scan_id"] == ALL  # the two are one patient's
    assert (before["scan_id"], before["label"], before["change"]) == ("of-before", "0", "=A1")
    assert (now["scan_id"], now["label"], now["change"]) == (first.scan_id, "1", "-3")


def test_a_file_that_the_user_changed_is_not_replaced(scan: Path, model, tmp_path: Path) -> None:
    (first,) = _run([scan], model, tmp_path)
    assert first.folder is not None
    page = first.folder / "report.html"
    page.write_text("corrected by hand")
    (second,) = _run([scan], model, tmp_path)
    assert (second.status, second.code) == ("refused", "HC004")
    assert page.read_text() == "corrected by hand"
    (row,) = _table(tmp_path)
    assert row["status"] == "done"


def test_another_models_results_are_not_mixed_in(scan: Path, model, tmp_path: Path) -> None:
    _run([scan], model, tmp_path)
    before = _contents(tmp_path)
    other = replace(model.trained.model, hash="f" * 64)
    with pytest.raises(OutputExists, match="another model"):
        list(predict_cases(cases_of([scan]), other, tmp_path))
    assert _contents(tmp_path) == before


def test_a_folder_of_the_first_version_is_gone_on_with_and_nothing_of_it_is_lost(
    scan: Path, model, tmp_path: Path
) -> None:
    """It has no record of its files: what the user changed in them cannot be told."""
    (first,) = _run([scan], model, tmp_path)
    assert first.folder is not None
    (tmp_path / files.RECORD).unlink()
    (tmp_path / "mine.txt").write_text("mine")
    page = first.folder / "report.html"
    page.write_text("corrected by hand")
    (second,) = _run([scan], model, tmp_path)
    assert second.status == "done"
    assert (first.folder / "made-before" / "report.html").read_text() == "corrected by hand"
    assert "not for clinical use" in page.read_text()
    (third,) = _run([scan], model, tmp_path)
    assert third.status == "done"
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_what_a_killed_run_left_goes(scan: Path, model, tmp_path: Path) -> None:
    _run([scan], model, tmp_path)
    left = tmp_path / f"{files.TEMPORARY}abc"
    left.mkdir()
    (left / "montage.png").write_text("half")
    _run([scan], model, tmp_path)
    assert not left.exists()


def test_no_prediction_outlives_its_case(cohort: Truth, model, tmp_path: Path) -> None:
    """All were kept until the end before, each with its stack and heatmap: 9.5 MB."""
    paths = [cohort.dicom / patient.scans[0].folder for patient in cohort.patients[:3]]
    made = []
    for result in predict_cases(cases_of(paths), model.trained.model, tmp_path):
        if result.prediction is not None:
            made.append(weakref.ref(result.prediction))
        del result
        gc.collect()
        # The generator stands at its yield, and holds the one it gave.
        assert sum(one() is not None for one in made) <= 1
    assert len(made) >= 2
    assert not any(one() for one in made)
    assert len(_table(tmp_path)) == len(paths)


def test_a_second_run_into_the_same_folder_is_refused(scan: Path, model, tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from hemocast.pipeline.predictions.folder"
    )
    program += " import PredictionsFolder\nwith PredictionsFolder.open(Path(sys.argv[1]), 'h'):"
    program += "\n    print('busy', flush=True); time.sleep(600)"
    first = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    try:
        assert first.stdout.readline() == "busy\n"
        with pytest.raises(InUse):
            _run([scan], model, tmp_path)
    finally:
        first.kill()
        first.wait()
        first.stdout.close()
    assert _run([scan], model, tmp_path)[0].status == "done"


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


NAMES = st.sampled_from(
    ["predictions.csv", "notes.txt", "sub-1/prediction.json", "sub-1/report.html", "model.yaml",
     "stacks.npy", "run.json", "labels.tsv", "dataset_description.json", "a/b/scan.nii.gz",
     "derivatives/hemocast/runs/x/stacks.npy", ".hidden"]
)  # fmt: skip
_DONE = {"case": "1", "scan_id": "sub-1", "status": "done"}
TEXTS = st.sampled_from(
    ["", "mine", "{}", '{"schema_version": 1}', "scan_id,status\na,done\n",
     ",".join(COLUMNS) + "\n" + ",".join(_DONE.get(c, "") for c in COLUMNS) + "\n",
     "participant_id\tlabel\nsub-1\t1\n"]
)  # fmt: skip


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(held=st.dictionaries(NAMES, TEXTS, min_size=1))
def test_in_a_folder_full_of_a_users_own_files_no_byte_changes(
    model, config, held: dict[str, str]
) -> None:
    """Neither by predict nor by train, whether it is the output or taken for a dataset."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "mine"
        for name, text in held.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        before = _contents(Path(root))
        with pytest.raises(OutputExists):
            list(predict_cases(cases_of([folder]), model.trained.model, folder))
        with pytest.raises(OutputExists), reserved(folder, "training"):
            raise AssertionError("a folder that holds something was given away")
        with pytest.raises(HemocastError):
            train_and_test(
                Dataset(folder), config, Path(root) / "out", Purpose("x", "", ""), TrainOptions()
            )
        assert _contents(Path(root)) == before
        assert [path.name for path in Path(root).iterdir()] == ["mine"]


def _study(cohort: Truth, dataset, tmp_path: Path) -> tuple[Path, set[tuple[str, str]]]:
    """Two patients' scans in one folder, at least one of them with several; their names there."""
    most = sorted(cohort.patients, key=lambda patient: -len(patient.scans))[:2]
    assert len(most[0].scans) > 1
    for i, scan in enumerate(scan for patient in most for scan in patient.scans):
        shutil.copytree(cohort.dicom / scan.folder, tmp_path / "study" / f"{9 - i}")
    people = {participant_id(KEY, patient.patient_id) for patient in most}
    scans = dataset.table("scans")
    mine = scans[scans["participant_id"].isin(people)]
    return tmp_path / "study", set(zip(mine["participant_id"], mine["scan_id"], strict=True))


def test_under_a_key_the_names_are_those_of_ingest(
    cohort: Truth, dataset, model, tmp_path: Path
) -> None:
    study, names = _study(cohort, dataset, tmp_path)
    out = tmp_path / "out"
    results = list(predict_cases(cases_of([study]), model.trained.model, out, key=KEY))
    assert {(one.participant_id, one.scan_id) for one in results} == names
    several = {(one, ALL) for one, n in Counter(one for one, _ in names).items() if n > 1}
    assert several
    told = {(row["participant_id"], row["scan_id"]) for row in _table(out)}
    assert told == names | several
    # A path for each scan, in any order, gives the same.
    apart = cases_of(sorted(study.iterdir()))
    again = predict_cases(apart, model.trained.model, out, key=KEY, resume=True)
    assert [one.status for one in again] == ["skipped"] * len(apart)
    assert len(_table(out)) == len(told)
    linkage = (out / "linkage.csv").read_text()
    assert all(f'"{case.path}"' in linkage for case in apart)
    # Without the key several patients in a path are refused.
    (refused,) = _run([study], model, tmp_path / "own")
    assert refused.code == "HC202"


def test_a_dataset_and_a_table_of_paths_give_the_names_they_have(
    cohort: Truth, dataset, model, tmp_path: Path
) -> None:
    whole = cases_of([dataset.root])
    assert [case.scan_id for case in whole] == list(dataset.table("scans")["scan_id"])
    folder = cohort.dicom / cohort.patients[0].scans[0].folder
    table = tmp_path / "scans.csv"
    table.write_text(f"path,participant_id,scan_id\n{folder},P-1,P-1_a\n{folder},P-1,\n")
    cases = (*whole[:1], *cases_of([table]))
    out = tmp_path / "out"
    first, second, third = predict_cases(cases, model.trained.model, out)
    assert first.scan_id == whole[0].scan_id
    assert (second.participant_id, second.scan_id) == ("P-1", "P-1_a")
    assert third.participant_id == "P-1"
    assert str(third.scan_id).startswith("scan-")
    assert {path.name for path in (out / "P-1_a").iterdir()} == FILES


def test_nothing_of_a_prediction_lets_a_list_of_uids_be_tried(
    scan: Path, model, tmp_path: Path
) -> None:
    """A hash of the UIDs without a key was the scan's name, in every file and folder."""
    uid = find_scans(scan).scans[0].series.scan_uid
    (first,) = _run([scan], model, tmp_path / "a")
    (again,) = _run([scan], model, tmp_path / "a")
    (other,) = _run([scan], model, tmp_path / "b")
    assert first.scan_id == again.scan_id != other.scan_id
    for path in (tmp_path / "a").rglob("*"):
        assert uid not in path.name
        assert path.is_dir() or uid.encode() not in path.read_bytes()


KILLED = """
import os, signal, sys
from pathlib import Path
from hemocast.model import load
from hemocast.pipeline.predict import cases_of, predict_cases
model, out, *paths = map(Path, sys.argv[1:])
for n, result in enumerate(predict_cases(cases_of(paths), load(model), out)):
    if n == 1:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_run_is_resumed_with_what_it_had_finished(
    cohort: Truth, model, tmp_path: Path
) -> None:
    paths = [cohort.dicom / patient.scans[0].folder for patient in cohort.patients[:3]]
    out = tmp_path / "out"
    command = [sys.executable, "-c", KILLED, model.folder, out, *paths]
    assert subprocess.run(command, capture_output=True).returncode < 0
    before = _table(out)
    assert [row["status"] for row in before] == ["done", "done"]
    # As a kill in the middle of a row leaves it.
    with (out / "predictions.csv").open("a") as file:
        file.write('3,n/a,scan-0123,0.5,"')
    results = predict_cases(cases_of(paths), model.trained.model, out, resume=True)
    assert [one.status for one in results] == ["skipped", "skipped", "done"]
    assert _table(out)[:2] == before
    assert len(_table(out)) == 3
