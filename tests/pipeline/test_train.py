"""Split by patient, trained on one part, tested on the other, nothing of the test part learnt."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import hemocast
from hemocast import files
from hemocast.config import Config, NetConfig, PrepareConfig
from hemocast.dataset import Dataset, participant_id
from hemocast.dataset.split.by_patient import part_hash
from hemocast.dicom import write_nifti
from hemocast.errors import (
    ConfigError,
    DatasetError,
    InUse,
    LeakageError,
    NoMap,
    NoSpace,
    NotWritable,
    OutputExists,
    TooFewPatients,
    UsageError,
)
from hemocast.model import save_recalibrated, save_to_pass_on
from hemocast.pipeline.predict import Beside, CaseResult, cases_of, predict_cases
from hemocast.pipeline.train import Purpose, TrainOptions, train_and_test
from hemocast.pipeline.training_run import BINDING, TEST_PREDICTIONS
from hemocast.simulate import Truth
from hemocast.train import STACKS

THIRD = TrainOptions(test_fraction=1 / 3)


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".hemocast.lock"
    }


def run_folder(dataset: Dataset, name: str = "tiny") -> Path:
    return dataset.root / "derivatives" / "hemocast" / "runs" / name


def write_split(dataset: Dataset, path: Path, validation: int = 0) -> dict[str, str]:
    """Deal patients of both classes to parts: two to test, `validation` of each to validation."""
    labels = dataset.labels()
    parts = {}
    for label in (0, 1):
        people = sorted(patient for patient, value in labels.items() if value == label)
        for place, patient in enumerate(people):
            held = "validation" if place < 2 + validation else "train"
            parts[patient] = "test" if place < 2 else held
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = "".join(f"{patient}\t{part}\n" for patient, part in parts.items())
    path.write_text("participant_id\tpart\n" + rows)
    return parts


def test_no_patient_is_in_two_parts(model) -> None:
    trained = model.trained
    fitted = trained.fitted
    inner = set(fitted.train.participants) | set(fitted.validation.participants)
    assert inner == set(trained.split.parts["train"])
    assert not inner & {scan.participant_id for scan in trained.test}
    assert trained.receipt["patient_overlap"] == {"train & test": 0}


def test_the_model_folder_is_what_was_trained(model) -> None:
    loaded = hemocast.load(model.folder)
    assert loaded.hash == model.trained.model.hash
    assert loaded.description.training.data_hash == model.trained.fitted.data_hash
    assert loaded.description.simulated_training_data
    assert "not for clinical use" in loaded.description.notice
    assert "\n" not in repr(model.trained)


def test_the_held_out_result_is_written(dataset: Dataset, model) -> None:
    run = run_folder(dataset)
    rows = (run / TEST_PREDICTIONS).read_text().splitlines()
    assert len(rows) == 1 + len(model.trained.test)
    metrics = json.loads((run / "test_metrics.json").read_text())
    assert metrics["n_patients"] == len({scan.participant_id for scan in model.trained.test})
    assert metrics["metrics"]["auc"]["value"] == model.trained.evaluation["auc"].value
    card = (run / "model_card.md").read_text(encoding="utf-8")
    assert f"On {len(model.trained.test)} held-out scans" in card
    assert "SIMULATED" in card
    assert "validation loss" in (run / "figures" / "training.svg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_training_again_gives_the_same_model(
    dataset: Dataset, model, config: Config, tmp_path: Path
) -> None:
    """The finished run is read back, and the export is the same."""
    purpose = Purpose("tiny", "HT as simulated", "simulated heads")
    again = train_and_test(dataset, config, tmp_path / "again", purpose, THIRD)
    assert np.array_equal(again.probability, model.trained.probability)


@pytest.fixture(scope="module")
def opted_in(dataset: Dataset, config: Config, tmp_path_factory: pytest.TempPathFactory):
    """A training whose data's owner wants nearest cases, with a validation part of its own."""
    folder = tmp_path_factory.mktemp("opted")
    parts = write_split(dataset, folder / "near.tsv", validation=1)
    options = TrainOptions(split=folder / "near.tsv", nearest_cases=True)
    purpose = Purpose("near", "HT as simulated", "simulated heads")
    return folder / "m", parts, train_and_test(dataset, config, folder / "m", purpose, options)


def test_nearest_cases_are_of_the_training_part_alone(opted_in, dataset: Dataset) -> None:
    """By the receipt of the split: nobody of the test or validation part is among them."""
    folder, parts, trained = opted_in
    cases = hemocast.load(folder).cases
    people = {name.partition("_")[0] for name in cases.scan_id}
    assert {parts[patient] for patient in people} == {"train"}
    assert part_hash(sorted(people)) == trained.receipt["parts"]["train"]["sha256"]
    labels = dataset.labels()
    assert cases.ht.tolist() == [labels[name.partition("_")[0]] > 0 for name in cases.scan_id]


def test_a_scan_of_the_training_part_finds_itself_first(
    opted_in, dataset: Dataset, tmp_path: Path
) -> None:
    folder, parts, _ = opted_in
    model = hemocast.load(folder)
    name = next(name for name in model.cases.scan_id)
    scan = next(dataset.root.rglob(f"{name}_ct.nii.gz"))
    prediction = model.predict(scan, scan_id=name)
    first, *others = prediction.nearest.cases
    assert (first.scan_id, first.ht) == (name, dataset.labels()[name.partition("_")[0]] > 0)
    assert first.distance < 1e-3 < others[0].distance
    distances = [case.distance for case in others]
    assert distances == sorted(distances)
    held = next(patient for patient, part in parts.items() if part == "test")
    other = model.predict(next(dataset.root.rglob(f"{held}_*_ct.nii.gz")))
    assert held not in {case.scan_id.partition("_")[0] for case in other.nearest.cases}


def test_without_opting_in_a_model_holds_no_cases(model, dataset: Dataset) -> None:
    assert model.trained.model.cases is None
    assert not [path for path in model.folder.iterdir() if "nearest" in path.name]
    assert "Nearest cases" not in (model.folder / "card.md").read_text()
    scan = next(dataset.root.rglob("*_ct.nii.gz"))
    assert model.trained.model.predict(scan).nearest is None


def test_a_copy_to_give_away_and_a_recalibrated_model_hold_no_cases(
    opted_in, tmp_path: Path
) -> None:
    folder, _, trained = opted_in
    changed = trained.model.description.model_copy(update={"population": "elsewhere"})
    for name, made in (
        ("copy", save_to_pass_on(folder, tmp_path / "copy")),
        ("again", save_recalibrated(folder, tmp_path / "again", changed, "note")),
    ):
        assert made.cases is None
        assert {path.name for path in (tmp_path / name).iterdir()} == {
            "card.md", "model.onnx", "model.yaml", "weights.safetensors",
        }  # fmt: skip
        pseudonyms = [one.encode() for one in trained.model.cases.scan_id]
        content = b"".join(path.read_bytes() for path in (tmp_path / name).iterdir())
        assert not [one for one in pseudonyms if one in content]


def refuse(
    error: type[Exception],
    dataset: Dataset,
    config: Config,
    out: Path,
    name: str = "other",
    options: TrainOptions = THIRD,
) -> str:
    """Train, be refused before any scan is prepared, and find the dataset as it was."""
    before = contents(dataset.root)
    said: list[str] = []
    options = replace(options, progress=lambda stage, *_: said.append(stage))
    with pytest.raises(error) as refusal:
        train_and_test(dataset, config, out, Purpose(name, "", ""), options)
    assert "preparing" not in said
    assert contents(dataset.root) == before
    return str(refusal.value)


def test_another_configuration_under_the_same_name_is_refused_before_anything_is_written(
    dataset: Dataset, model, config: Config, tmp_path: Path
) -> None:
    """The earlier run's stacks were overwritten before, and only then was it refused."""
    wider = config.prepare.model_copy(update={"window_high": 60.0})
    shorter = config.train.model_copy(update={"epochs": 1})
    for update in ({"prepare": wider}, {"train": shorter}):
        other = config.model_copy(update=update)
        assert "--name" in refuse(OutputExists, dataset, other, tmp_path / "m", "tiny")
        assert not (tmp_path / "m").exists()
    # The remedy helps.
    train_and_test(dataset, other, tmp_path / "m", Purpose("another", "", ""), THIRD)
    assert (tmp_path / "m" / "model.yaml").is_file()


def test_a_changed_result_of_an_earlier_run_is_not_replaced(
    dataset: Dataset, model, config: Config, tmp_path: Path
) -> None:
    path = run_folder(dataset) / TEST_PREDICTIONS
    before = path.read_text()
    path.write_text(before + "my notes\n")
    try:
        assert TEST_PREDICTIONS in refuse(OutputExists, dataset, config, tmp_path / "m", "tiny")
    finally:
        path.write_text(before)


@pytest.mark.slow
def test_a_run_of_the_first_version_is_gone_on_with_and_its_results_are_kept(
    dataset: Dataset, model, config: Config, tmp_path: Path
) -> None:
    """It has neither a record of its files nor a note of what it is, no card and no figure."""
    run = run_folder(dataset)
    shutil.rmtree(run / "figures")
    (run / "model_card.md").unlink()
    saved = {name: (run / name).read_bytes() for name in (files.RECORD, BINDING)}
    other = config.model_copy(update={"train": config.train.model_copy(update={"epochs": 3})})
    for name in saved:
        (run / name).unlink()
    refuse(OutputExists, dataset, other, tmp_path / "m", "tiny")
    stages: list[str] = []
    options = replace(THIRD, progress=lambda stage, *_: stages.append(stage))
    train_and_test(dataset, config, tmp_path / "m", Purpose("tiny", "", ""), options)
    assert "training" not in stages
    assert (run / "made-before" / TEST_PREDICTIONS).is_file()
    assert (run / BINDING).is_file()


@pytest.mark.parametrize("inside", [pytest.param(True, marks=pytest.mark.slow), False])
def test_a_given_split_stays_as_it_is_and_its_validation_part_is_used(
    dataset: Dataset, config: Config, tmp_path: Path, inside: bool
) -> None:
    """It was overwritten: its validation part vanished and its receipt's seed became 0."""
    name = "mine" if inside else "brought"
    path = (dataset.root / "splits" if inside else tmp_path) / f"{name}.tsv"
    parts = write_split(dataset, path, validation=1)
    receipt = path.with_name(f"{name}.receipt.json")
    receipt.write_text('{"seed": 17, "note": "by hand"}\n')
    before = path.read_bytes(), receipt.read_bytes()
    options = TrainOptions(split=path)
    trained = train_and_test(dataset, config, tmp_path / "m", Purpose(name, "", ""), options)
    assert (path.read_bytes(), receipt.read_bytes()) == before
    for part, table in (
        ("validation", trained.fitted.validation),
        ("train", trained.fitted.train),
    ):
        assert set(table.participants) == {p for p, held in parts.items() if held == part}
    recorded = (dataset.root / "splits" / f"{name}.tsv").read_text()
    assert sorted(recorded.splitlines()) == sorted(path.read_text().splitlines())


def test_a_split_whose_name_another_one_has_is_refused(
    dataset: Dataset, model, config: Config, tmp_path: Path
) -> None:
    write_split(dataset, tmp_path / "tiny.tsv")
    options = TrainOptions(split=tmp_path / "tiny.tsv")
    refuse(OutputExists, dataset, config, tmp_path / "m", options=options)


def test_nearest_cases_of_a_model_from_measurements_are_refused(
    dataset: Dataset, config: Config, tmp_path: Path
) -> None:
    options = replace(THIRD, nearest_cases=True)
    settings = config.with_net("clinical-ridge")
    said = refuse(ConfigError, dataset, settings, tmp_path / "m", options=options)
    assert "--nearest-cases" in said


def test_a_record_beside_a_model_from_measurements_is_refused_before_any_scan(
    dataset: Dataset, config: Config, tmp_path: Path
) -> None:
    asked = config.with_net("histogram-ridge").with_record()
    said = refuse(ConfigError, dataset, asked, tmp_path / "m")
    assert "whose name says what it is told" in said


def test_a_split_without_a_class_in_its_validation_part_is_refused(
    dataset: Dataset, config: Config, tmp_path: Path
) -> None:
    path = tmp_path / "few.tsv"
    write_split(dataset, path, validation=1)
    lines = path.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.endswith("validation"))
    path.write_text("\n".join(lines[:first] + lines[first + 1 :]) + "\n")
    refuse(TooFewPatients, dataset, config, tmp_path / "m", options=TrainOptions(split=path))


def test_a_split_like_the_papers_is_refused_and_its_patients_named(
    dataset: Dataset, config: Config, tmp_path: Path
) -> None:
    patients = sorted(dataset.labels())
    rows = [f"{patient}\ttrain" for patient in patients[:9]]
    rows += [f"{patient}\ttest" for patient in patients[7:]]
    table = tmp_path / "paper.tsv"
    table.write_text("participant_id\tpart\n" + "\n".join(rows) + "\n")
    options = TrainOptions(split=table)
    said = refuse(LeakageError, dataset, config, tmp_path / "m", options=options)
    assert all(patient in said for patient in patients[7:9])
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("name", ["study A (v2)", "../up", "", ".hidden", "a/b", "x" * 101, "a\n"])
def test_a_name_that_cannot_be_a_folders_is_refused_at_once(name: str) -> None:
    with pytest.raises(UsageError, match="--name"):
        Purpose(name, "", "")


def test_an_output_that_cannot_be_is_refused_before_the_work(
    dataset: Dataset, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    refuse(OutputExists, dataset, config, tmp_path / "full")
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        refuse(NotWritable, dataset, config, out)
    usage = os.statvfs(tmp_path)
    monkeypatch.setattr(
        "shutil.disk_usage", lambda _: type("Usage", (), {"free": min(1000, usage.f_bsize)})
    )
    refuse(NoSpace, dataset, config, tmp_path / "m")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "full"]


def test_a_network_that_cannot_be_built_is_refused_before_the_work(
    dataset: Dataset, config: Config, tmp_path: Path
) -> None:
    for name in ("unknown", "no_such_module:Net", "json:dumps"):
        other = config.model_copy(update={"net": NetConfig(name=name)})
        assert "net.name" in refuse(ConfigError, dataset, other, tmp_path / "m")


def test_a_folder_that_is_no_dataset_of_ours_is_refused_and_not_touched(
    config: Config, tmp_path: Path
) -> None:
    (tmp_path / "labels.tsv").write_text("participant_id\tlabel\nsub-1\t1\n")
    before = contents(tmp_path)
    with pytest.raises(DatasetError, match="no dataset that Hemocast made"):
        train_and_test(Dataset(tmp_path), config, tmp_path / "m", Purpose("x", "", ""), THIRD)
    assert contents(tmp_path) == before


PROGRAM = """
    import sys, time
    from pathlib import Path
    from hemocast.config import Config
    from hemocast.dataset import Dataset
    from hemocast.pipeline.train import Purpose, TrainOptions, train_and_test

    def wait(stage, done, total):
        print("busy", flush=True)
        time.sleep(600)

    root, settings, out, name = sys.argv[1:]
    config = Config.model_validate_json(settings)
    options = TrainOptions(test_fraction=1 / 3, progress=wait)
    train_and_test(Dataset(Path(root)), config, Path(out), Purpose(name, "", ""), options)
"""


@pytest.mark.slow
def test_two_trainings_into_one_place_are_one_too_many_until_the_first_is_killed(
    dataset: Dataset, config: Config, tmp_path: Path
) -> None:
    out = tmp_path / "m"
    first = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(dataset.root),
         config.model_dump_json(), str(out), "both"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert first.stdout is not None
    try:
        assert first.stdout.readline() == "busy\n"
        same_run, same_out = (tmp_path / "elsewhere", "both"), (out, "else")
        for place, name in (same_run, same_out):
            with pytest.raises(InUse, match=f"process {first.pid}"):
                train_and_test(dataset, config, place, Purpose(name, "", ""), THIRD)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
        first.stdout.close()
    train_and_test(dataset, config, out, Purpose("both", "", ""), THIRD)
    assert {path.name for path in out.iterdir()} == {
        "card.md", "model.onnx", "model.yaml", "weights.safetensors",
    }  # fmt: skip
    held = {path.name for path in run_folder(dataset, "both").iterdir()}
    assert held == {
        ".hemocast.jsonl", ".hemocast.lock", BINDING, STACKS, TEST_PREDICTIONS,
        "figures", "model_card.md", "test_metrics.json", "training",
    }  # fmt: skip


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Config]:
    """Return a cohort of stacks whose NIHSS and grey values tell the label, and settings."""
    root = tmp_path_factory.mktemp("measured") / "stacks"
    root.mkdir()
    rng = np.random.default_rng(0)
    files.write_json(
        root / "dataset_description.json",
        {"DatasetType": "derivative", "GeneratedBy": [{"Name": "hemocast"}], "Simulated": True},
    )
    frames = np.zeros((40, 28, 96, 96), np.uint8)
    frames[:, 2:26, 10:86, 14:82] = rng.integers(90, 200, (40, 24, 76, 68))
    tables = {
        "labels.tsv": ["participant_id\tlabel"],
        "clinical.tsv": ["participant_id\tnihss\tglucose_mmol_l\ttreatment"],
        "scans.tsv": ["participant_id\tscan_id\trow"],
    }
    for at in range(40):
        name, label = f"sub-{at:03d}", at % 2
        frames[at, 8:20, 30:60, 20:40] -= np.uint8(40 * label)
        tables["labels.tsv"].append(f"{name}\t{label}")
        nihss = 6 + 5 * label + at % 6
        tables["clinical.tsv"].append(f"{name}\t{nihss}\t{5 + at % 4}\tnone")
        tables["scans.tsv"].append(f"{name}\t{name}_ses-01\t{at}")
    np.save(root / "stacks.npy", frames)
    for table, rows in tables.items():
        (root / table).write_text("\n".join(rows) + "\n")
    return root, Config(prepare=PrepareConfig(size=96))


@pytest.mark.slow
def test_a_model_of_a_map_needs_one_on_the_grid_of_every_scan(
    measured: tuple[Path, Config], cohort: Truth, tmp_path: Path
) -> None:
    root, config = measured
    settings = config.with_net("perfusion-regression")
    purpose = Purpose("map", "HT as simulated", "made-up heads")
    mine = tmp_path / "mine"
    shutil.copytree(root, mine)
    assert "derivatives/maps" in refuse(NoMap, Dataset(mine), settings, tmp_path / "none")
    rng = np.random.default_rng(0)
    maps = (100 + 20 * rng.standard_normal((40, 14, 24, 24))).astype(np.float32)
    maps[1::2, 4:8, 8:14, 8:14] += 100
    np.save(mine / "maps.npy", maps)
    trained = train_and_test(Dataset(mine), settings, tmp_path / "m", purpose, THIRD)
    assert trained.evaluation["auc"].value > 0.9
    scan, own = cohort.dicom / cohort.patients[0].scans[0].folder, tmp_path / "own.nii.gz"
    volume = hemocast.read(scan)
    level = np.full(volume.hu.shape, 100.0)
    write_nifti(level, volume.affine, own, description="SIMULATED map")

    def ask(path: Path | None, name: str) -> list[CaseResult]:
        model = hemocast.load(tmp_path / "m")
        beside = Beside(maps=path)
        return list(predict_cases(cases_of([scan]), model, tmp_path / name, beside=beside))

    (done,) = ask(own, "one")
    assert done.status == "done", done.message
    assert (done.folder / "heatmap.nii.gz").exists()
    assert "a co-registered map" in (done.folder / "report.html").read_text()
    with pytest.raises(NoMap, match="--map"):
        ask(None, "two")
    (refused,) = ask(tmp_path, "three")  # a folder without a map of that name
    assert (refused.status, refused.code) == ("refused", "HC506")
    shifted = tmp_path / "shifted.nii.gz"
    write_nifti(level, volume.affine + np.eye(4, k=3), shifted)
    (refused,) = ask(shifted, "four")
    assert (refused.status, refused.code) == ("refused", "HC308")
    model = hemocast.load(tmp_path / "m")
    with pytest.raises(UsageError, match="2 cases"):
        list(predict_cases(cases_of([scan, scan]), model, tmp_path / "x", beside=Beside(maps=own)))


def test_models_from_measurements_go_the_whole_way(
    measured: tuple[Path, Config], cohort: Truth, tmp_path: Path
) -> None:
    root, config = measured
    (tmp_path / "key").write_text((b"k" * 32).hex())
    scan = cohort.dicom / cohort.patients[0].scans[0].folder
    patient = participant_id(b"k" * 32, cohort.patients[0].patient_id)
    known = tmp_path / "known.csv"
    known.write_text(f"participant_id,nihss,treatment\n{patient},17,none\n")
    for name, table in (("clinical-ridge", known), ("histogram-ridge", None)):
        purpose = Purpose(name, "HT as simulated", "made-up heads")
        trained = train_and_test(
            Dataset(root), config.with_net(name), tmp_path / name, purpose, THIRD
        )
        assert trained.evaluation["auc"].value > 0.7
        model = hemocast.load(tmp_path / name)
        (done,) = predict_cases(
            cases_of([scan]),
            model,
            tmp_path / f"out-{name}",
            key=tmp_path / "key",
            beside=Beside(table),
        )
        assert done.status == "done", done.message
        assert not (done.folder / "heatmap.nii.gz").exists()
        page = (done.folder / "report.html").read_text()
        assert "What moved the number" in page
        assert "there is no heatmap" in page
        assert ("NIHSS" in page) == (table is not None)
        missing = [flag for flag in done.prediction.flags if "not known of the patient" in flag]
        assert bool(missing) == (table is not None)
        assert all("glucose" in flag and "NIHSS" not in flag for flag in missing)
