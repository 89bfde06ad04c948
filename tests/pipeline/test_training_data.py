"""A dataset or a folder of stacks becomes one table; what does not fit is refused by a code."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemocast.config import Config, NetConfig, PrepareConfig, TrainConfig
from hemocast.dataset import Dataset
from hemocast.dataset.scan_id import ScanId
from hemocast.dataset.stacks import ScanFile
from hemocast.errors import ConfigError, LeakageError, NothingThere, TableError, WorkerDied
from hemocast.files import write_json
from hemocast.pipeline.train import Purpose, TrainOptions, train_and_test
from hemocast.pipeline.training_data import Cohort, _alive, bytes_of, prepare_cohort
from hemocast.train import STACKS, StackTable
from hemocast.volume import to_levels

PATIENTS = [f"sub-{i:02d}" for i in range(16)]
SETTINGS = PrepareConfig(frames=8, size=64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Sixteen patients as stacks; every second has HT, and something dark on one side."""
    root = tmp_path / "stacks"
    root.mkdir()
    write_json(
        root / "dataset_description.json",
        {
            "Name": "SIMULATED",
            "Simulated": True,
            "DatasetType": "derivative",
            "GeneratedBy": [{"Name": "hemocast"}],
        },
    )
    rng = np.random.default_rng(0)
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (8, 64, 64)), indexing="ij")
    levels = rng.normal(140, 15, (16, *z.shape)) - 60 * (
        (np.arange(16) % 2)[:, None, None, None] * ((x - 0.4) ** 2 + y**2 + z**2 < 0.1)
    )
    inside = z**2 + y**2 + x**2 < 0.8
    np.save(root / STACKS, np.where(inside, levels, 0).astype(np.uint8))
    rows = [f"{p}\t{p}_ses-01\t{15 - i}\t0" for i, p in enumerate(PATIENTS)]
    (root / "scans.tsv").write_text("\n".join(["participant_id\tscan_id\trow\tblood", *rows]))
    labels = [f"{p}\t{1 - i % 2}" for i, p in enumerate(PATIENTS)]
    (root / "labels.tsv").write_text("\n".join(["participant_id\tlabel", *labels]))
    return root


def test_stacks_are_taken_as_they_are_with_their_rows(folder: Path, tmp_path: Path) -> None:
    cohort = Cohort.of(Dataset(folder))
    assert repr(cohort) == "Cohort(16 patients, 16 scans)"
    prepared = prepare_cohort(cohort, SETTINGS, tmp_path, learned=PATIENTS[:3])
    assert prepared.table.array == folder / STACKS
    assert prepared.table.rows == tuple(range(15, -1, -1))
    assert prepared.refused == ()
    array = np.load(folder / STACKS)
    for i, example in enumerate(prepared.examples):
        assert np.array_equal(to_levels(example.frames), array[15 - i])
    assert len(prepared.examples) == 3
    for example in prepared.examples:
        assert example.brain[example.frames > 0].all()
        assert example.brain.sum() < 1.1 * (example.frames > 0).sum()
    assert not (tmp_path / STACKS).exists()
    config = Config(prepare=SETTINGS, net=NetConfig(pool=2))
    assert 0 < bytes_of(cohort, config) < 1e8


def test_the_distance_of_the_slices_is_measured_where_the_table_tells_it(
    folder: Path, tmp_path: Path
) -> None:
    cohort = Cohort.of(Dataset(folder))
    before = prepare_cohort(cohort, SETTINGS, tmp_path, learned=PATIENTS[:3]).measured
    assert np.isnan(before[:, -1]).all()
    lines = (folder / "scans.tsv").read_text().splitlines()
    cells = ["slice_mm", "5.0", "n/a", *["1.25"] * 14]
    lines = [f"{line}\t{cell}" for line, cell in zip(lines, cells, strict=True)]
    (folder / "scans.tsv").write_text("\n".join(lines))
    after = prepare_cohort(
        Cohort.of(Dataset(folder)), SETTINGS, tmp_path, learned=PATIENTS[:3]
    ).measured
    np.testing.assert_array_equal(after[:, -1], [5.0, np.nan, 1.25])
    np.testing.assert_array_equal(after[:, :-1], before[:, :-1])


def test_scans_with_blood_and_patients_without_label_are_left_out(folder: Path) -> None:
    scans = (folder / "scans.tsv").read_text()
    (folder / "scans.tsv").write_text(scans.replace("03_ses-01\t12\t0", "03_ses-01\t12\t1"))
    labels = (folder / "labels.tsv").read_text().replace("sub-05\t0", "sub-05\tn/a")
    (folder / "labels.tsv").write_text(labels)
    assert set(Cohort.of(Dataset(folder)).labels) == set(PATIENTS) - {"sub-03", "sub-05"}


@pytest.mark.parametrize(
    ("old", "new"),
    [("\t15\t", "\t16\t"), ("\t15\t", "\tx\t"), ("\t15\t", "\t14\t"), ("row", "line"),
     ("sub-00_ses-01", "scan 1")],
)  # fmt: skip
def test_tables_that_do_not_fit_the_array_are_refused(folder: Path, old: str, new: str) -> None:
    (folder / "scans.tsv").write_text((folder / "scans.tsv").read_text().replace(old, new))
    with pytest.raises(TableError):
        Cohort.of(Dataset(folder))


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY half of a header"])
def test_a_damaged_array_is_refused(folder: Path, content: bytes) -> None:
    (folder / STACKS).write_bytes(content)
    with pytest.raises(TableError):
        Cohort.of(Dataset(folder))
    (folder / STACKS).unlink()
    with pytest.raises(NothingThere):
        StackTable.of_folder(folder)


@pytest.mark.parametrize("change", [{"size": 96}, {"window_high": 80.0}, {"pixel_mm": 2.0}])
def test_stacks_of_other_settings_are_refused(folder: Path, tmp_path: Path, change: dict) -> None:
    cohort = Cohort.of(Dataset(folder))
    with pytest.raises(ConfigError, match="prepare"):
        prepare_cohort(cohort, SETTINGS.model_copy(update=change), tmp_path, learned=PATIENTS)


@pytest.mark.slow
def test_a_model_is_trained_and_tested_on_stacks_and_on_again(folder: Path, tmp_path: Path) -> None:
    config = Config(
        prepare=SETTINGS,
        net=NetConfig(pool=2, smooth=3, stem=8, widths=(8,)),
        train=TrainConfig(epochs=2, threads=1, validation_fraction=0.3),
    )
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    trained = [
        train_and_test(
            Dataset(folder), config, tmp_path / out, Purpose("s", "HT", "heads"),
            TrainOptions(test_fraction=0.25),
        )
        for out in ("one", "two")
    ]  # fmt: skip
    assert trained[0].model.hash == trained[1].model.hash
    assert len(trained[0].label) == 4
    assert trained[0].model.description.simulated_training_data
    assert {name: (folder / name).read_bytes() for name in before} == before
    (tmp_path / "split.tsv").write_text(
        "\n".join(["participant_id\tpart"]
                  + [f"{p}\t{'test' if i < 4 else 'train'}" for i, p in enumerate(PATIENTS)])
    )  # fmt: skip
    array = np.load(folder / STACKS)
    array[15] = array[0]  # a test patient's scan under a training patient's name
    np.save(folder / STACKS, array)
    with pytest.raises(LeakageError):
        train_and_test(
            Dataset(folder), config, tmp_path / "three", Purpose("t", "HT", "heads"),
            TrainOptions(split=tmp_path / "split.tsv"),
        )  # fmt: skip
    assert not (tmp_path / "three").exists()


def _dies(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_dies_tells_of_what() -> None:
    from joblib import Parallel, delayed

    work = Parallel(n_jobs=2, return_as="generator")(delayed(_dies)(i) for i in range(2))
    with pytest.raises(WorkerDied, match=r"HC008 .*SIGKILL.*memory") as caught:
        list(_alive(work))
    assert caught.value.exit_code == 2


def test_a_cohort_is_known_by_its_scans_and_labels_in_any_order(tmp_path: Path) -> None:
    scans = tuple(ScanFile(ScanId(p, "ses-01"), "a" * 32, tmp_path / p) for p in ("sub-1", "sub-2"))
    cohort = Cohort(Dataset(tmp_path), scans, {"sub-1": 0, "sub-2": 1})
    assert replace(cohort, scans=scans[::-1]).sha256() == cohort.sha256()
    assert repr(cohort) == "Cohort(2 patients, 2 scans)"
    assert len(cohort.equal_stacks()) == 1
