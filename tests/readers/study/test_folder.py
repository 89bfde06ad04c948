"""Making a study: which scans, frozen once read, and what does not fit is refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from hemocast.dataset import Dataset
from hemocast.dataset.layout import write_table
from hemocast.dicom import write_nifti
from hemocast.errors import (
    ConfigError,
    NothingThere,
    OutputExists,
    TableError,
    TooFewPatients,
)
from hemocast.readers.store.answers import Answer
from hemocast.readers.store.export import COLUMNS, LOG_COLUMNS, export_readings
from hemocast.readers.study.folder import Plan, choose_scans, create_study, open_study, study_folder
from hemocast.readers.study.images import AIR, HEAT_SIZE, SIZE, ImageFolder

PEOPLE = ["sub-a1", "sub-b2", "sub-c3"]


def head_hu(lesion_x: float, blood_mm: float = 0.0) -> np.ndarray:
    """30 slices of 5 mm, 80x80 of 2.6 mm; a dark lesion, and a bleed if asked."""
    across = (np.arange(80) - 39.5) * 2.6
    z, y, x = np.meshgrid((np.arange(30) - 14.5) * 5, across, across, indexing="ij")
    radius = np.sqrt((x / 66) ** 2 + (y / 82) ** 2 + (z / 66) ** 2)
    hu = np.full(radius.shape, -1000.0)
    hu[radius < 1.18], hu[radius < 1.1] = 30, 900
    hu[radius < 1] = 36
    hu[((np.abs(x) - 15) / 9) ** 2 + (y / 32) ** 2 + ((z - 5) / 18) ** 2 < 1] = 8
    hu[(x - lesion_x) ** 2 + y**2 + z**2 < 18**2] = 20
    hu[(x + 40) ** 2 + y**2 + z**2 < blood_mm**2] = 68
    hu[radius < 1] += np.random.default_rng(0).normal(0, 3, (radius < 1).sum())
    return hu


AFFINE = np.array([[-2.6, 0, 0, 102.7], [0, -2.6, 0, 102.7], [0, 0, 5, 0], [0, 0, 0, 1.0]])


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Three patients; the first with two scans, the last with blood that no table tells of."""
    root = tmp_path_factory.mktemp("study") / "ds"
    scans = [(PEOPLE[0], "ses-01"), (PEOPLE[0], "ses-02"), (PEOPLE[1], "ses-01")]
    scans.append((PEOPLE[2], "ses-01"))
    for participant, session in scans:
        folder = root / participant / session / "ct"
        folder.mkdir(parents=True)
        path = folder / f"{participant}_{session}_ct.nii.gz"
        blood = 16.0 if participant == PEOPLE[2] else 0.0
        write_nifti(head_hu(40 if participant == PEOPLE[0] else -40, blood), AFFINE, path)
        content = {"participant_id": participant, "session": session, "scan_uid": "u"}
        path.with_name(f"{path.name[:-7]}.json").write_text(json.dumps(content))
    rows = [{"participant_id": p, "scan_id": f"{p}_{s}", "blood": 0} for p, s in scans]
    write_table(root / "scans.tsv", rows, ["participant_id", "scan_id", "blood"])
    labels = [{"participant_id": p, "label": i % 2} for i, p in enumerate(PEOPLE)]
    write_table(root / "labels.tsv", labels, ["participant_id", "label"])
    parts = [{"participant_id": p, "part": "test" if p == PEOPLE[1] else "train"} for p in PEOPLE]
    write_table(root / "splits" / "one.tsv", parts, ["participant_id", "part"])
    (root / "dataset_description.json").write_text('{"Simulated": false}')
    return Dataset(root)


@pytest.fixture
def results(dataset: Dataset, tmp_path: Path) -> Callable[..., Path]:
    def _write(header: str, *rows: str) -> Path:
        path = tmp_path / f"{uuid4().hex}.csv"
        path.write_text("\n".join([header, *rows]) + "\n")
        return path

    return _write


def test_first_scans_of_labelled_patients_of_the_test_part_are_taken(dataset: Dataset) -> None:
    assert [scan.scan_id for scan in choose_scans(dataset, None)] == [f"{p}_ses-01" for p in PEOPLE]
    assert [scan.scan_id for scan in choose_scans(dataset, "one")] == ["sub-b2_ses-01"]
    with pytest.raises(NothingThere):
        choose_scans(dataset, "none")


def test_scans_that_prediction_would_refuse_are_left_out_with_their_reason(
    dataset: Dataset,
) -> None:
    made = create_study(dataset, "first", Plan(readers=("A",), repeats=0.5))
    assert [case.participant_id for case in made.design.cases] == PEOPLE[:2]
    assert len(made.left_out) == 1
    assert made.left_out[0].startswith("HC303 ")
    assert len(made.design.repeats) == 1
    assert made.design.simulated is False
    text = (study_folder(dataset, "first") / "study.yaml").read_text()
    assert "label" not in text


def test_a_study_is_frozen_once_somebody_has_read(dataset: Dataset, tmp_path: Path) -> None:
    plan = Plan(readers=("A", "B"), repeats=0)
    create_study(dataset, "frozen", plan)
    create_study(dataset, "frozen", plan.model_copy(update={"seed": 1}))  # nobody has read
    study = open_study(dataset, "frozen")
    assert study.design.seed == 1
    shown = study.design.presentations("A")[0]
    study.store.add(shown, Answer(str(uuid4()), 0.5), study.design.hash())
    study.store.close()
    with pytest.raises(OutputExists):
        create_study(dataset, "frozen", plan)
    path = study_folder(dataset, "frozen") / "study.yaml"
    path.write_text(path.read_text().replace("seed: 1", "seed: 2"))
    with pytest.raises(OutputExists, match="not the one"):
        open_study(dataset, "frozen")
    path.write_text(path.read_text().replace("seed: 2", "seed: 1"))
    open_study(dataset, "frozen").store.close()


def test_the_answers_file_is_the_owners_alone(dataset: Dataset) -> None:
    create_study(dataset, "mine", Plan(repeats=0))
    open_study(dataset, "mine").store.close()
    path = study_folder(dataset, "mine") / "answers.sqlite"
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "a" * 41, "a b", "é"])
def test_a_name_that_is_a_path_is_refused(dataset: Dataset, name: str) -> None:
    with pytest.raises(ConfigError):
        study_folder(dataset, name)


def test_what_is_not_there_is_said(dataset: Dataset) -> None:
    with pytest.raises(NothingThere, match="no such study"):
        open_study(dataset, "never")
    create_study(dataset, "gone", Plan(repeats=0))
    for picture in (study_folder(dataset, "gone") / "images").iterdir():
        picture.unlink()
    with pytest.raises(NothingThere, match="2 of 2"):
        open_study(dataset, "gone")
    blood_only = [{"participant_id": p, "part": "test" if p == PEOPLE[2] else "a"} for p in PEOPLE]
    write_table(dataset.root / "splits" / "blood.tsv", blood_only, ["participant_id", "part"])
    with pytest.raises(TooFewPatients, match="HC303"):
        create_study(dataset, "empty", Plan(split="blood"))


def test_a_models_table_alone_makes_an_aided_arm_without_heatmaps(
    dataset: Dataset, results: Callable[..., Path]
) -> None:
    table = results(
        "scan_id,probability,model,other",
        "sub-a1_ses-01,0.25,net,x",
        "sub-b2_ses-01,1,net,x",
        "sub-zz_ses-01,0.5,net,x",
    )
    made = create_study(dataset, "aided", Plan(readers=("A",)), model=table)
    assert made.design.arms == ("unaided", "aided")
    assert made.design.model.probabilities == {"sub-a1_ses-01": 0.25, "sub-b2_ses-01": 1.0}
    assert (made.design.model.name, made.design.model.heatmaps) == ("net", False)
    assert made.design.model.simulated_training_data is False


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (("scan_id,p", "sub-a1_ses-01,0.5"), "no column probability"),
        (("scan_id,probability", "sub-a1_ses-01,0.5"), "1 of 2 case"),
        (("scan_id,probability", "sub-a1_ses-01,0.5", "sub-a1_ses-01,0.5"), "several"),
        (("scan_id,probability", "sub-a1_ses-01,nan", "sub-b2_ses-01,1.5"), "2 probabilities"),
        (("scan_id,probability,threshold", "sub-a1_ses-01,1,x", "sub-b2_ses-01,1,"), "threshold"),
    ],
)
def test_results_that_do_not_fit_are_refused(
    dataset: Dataset, results: Callable[..., Path], rows: tuple[str, ...], words: str
) -> None:
    with pytest.raises(TableError, match=words):
        create_study(dataset, "bad", Plan(readers=("A",)), model=results(*rows))


def test_results_that_are_not_there_are_said(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(NothingThere):
        create_study(dataset, "bad", Plan(readers=("A",)), model=tmp_path / "none.csv")


def test_a_heatmap_lies_where_the_scan_shows_it(dataset: Dataset, tmp_path: Path) -> None:
    """The dark lesion, marked as a heatmap on the scan's grid, is dark and hot at one place."""
    hu = head_hu(40)
    z, y, x = np.nonzero(np.abs(hu - 20) < 6)
    ours = (np.abs(x - 39.5 - 40 / 2.6) < 5) & (np.abs(y - 39.5) < 5) & (np.abs(z - 14.5) < 3)
    heat = np.zeros(hu.shape, np.float32)
    heat[z[ours], y[ours], x[ours]] = 2.0
    path = tmp_path / "heatmap.nii.gz"
    write_nifti(heat, AFFINE, path, dtype=np.float32)
    images = ImageFolder(tmp_path, tmp_path / "stacks")
    (scan,) = (s for s in choose_scans(dataset, None) if s.participant_id == PEOPLE[0])
    images.make(scan.scan_id, scan.path, path)
    pixels = images.frames(scan.scan_id)
    assert pixels.shape == (28, SIZE, SIZE)
    import gzip

    frames = np.frombuffer(gzip.decompress(pixels.content), "<i2").reshape(pixels.shape)
    assert frames.min() == AIR
    hot = images.heat(scan.scan_id)
    assert hot.shape == (28, HEAT_SIZE, HEAT_SIZE)
    fine = hot.repeat(2, axis=1).repeat(2, axis=2)
    assert np.median(frames[fine > 1500]) == pytest.approx(20, abs=4)
    assert np.argwhere(fine > 1500)[:, 2].mean() > SIZE / 2 + 30  # the patient's left


def test_a_heatmap_that_is_none_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "heatmap.nii.gz").write_bytes(b"nonsense")
    (scan,) = (s for s in choose_scans(dataset, "one"))
    images = ImageFolder(tmp_path, tmp_path / "stacks")
    from hemocast.errors import MalformedFile

    with pytest.raises(MalformedFile):
        images.make(scan.scan_id, scan.path, tmp_path / "heatmap.nii.gz")


def test_the_export_has_the_columns_agreed_and_the_last_correction_wins(
    dataset: Dataset, tmp_path: Path
) -> None:
    create_study(dataset, "export", Plan(readers=("A",), repeats=0.5))
    study = open_study(dataset, "export")
    shown = study.design.presentations("A")
    for one, probability, final in (
        (shown[0], 0.1, False),
        (shown[0], 0.2, True),
        (shown[1], 0.5, True),
        (shown[0], 0.3, True),
        (shown[2], 0.9, False),
    ):
        answer = Answer(str(uuid4()), probability, 1, 4, '[{"a":1}]', 12.34, final)
        study.store.add(one, answer, study.design.hash())
    assert export_readings(study.store, tmp_path / "out") == (2, 5)
    study.store.close()
    with (tmp_path / "out" / "readings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    agreed = "reader_id participant_id scan_id probability decision confidence seconds arm order"
    assert list(rows[0]) == COLUMNS == [*agreed.split(), "repeat", "read_at"]
    assert [(row["order"], row["probability"]) for row in rows] == [("1", "0.3"), ("2", "0.5")]
    assert rows[0]["scan_id"] == shown[0].case.scan_id
    assert rows[0]["read_at"].endswith("+00:00")
    with (tmp_path / "out" / "readings_log.csv").open(newline="") as file:
        log = list(csv.DictReader(file))
    assert list(log[0]) == LOG_COLUMNS
    assert [row["probability"] for row in log] == ["0.1", "0.2", "0.5", "0.3", "0.9"]
    assert log[0]["regions"] == '[{"a":1}]'
