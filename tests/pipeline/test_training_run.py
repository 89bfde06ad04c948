"""A run's folder belongs to its settings, data and split, and to one process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hemocast.config import Config, PrepareConfig
from hemocast.dataset import Dataset, Split
from hemocast.dataset.scan_id import ScanId
from hemocast.dataset.stacks import ScanFile
from hemocast.errors import InUse, OutputExists
from hemocast.pipeline.training_data import Cohort
from hemocast.pipeline.training_run import BINDING, TEST_METRICS, Run
from hemocast.train import STACKS


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run over two patients of a dataset that is not there yet."""
    scans = tuple(
        ScanFile(ScanId(patient, "ses-01"), "a" * 32, tmp_path / patient)
        for patient in ("sub-1", "sub-2")
    )
    cohort = Cohort(Dataset(tmp_path), scans, {"sub-1": 0, "sub-2": 1})
    split = Split("mine", {"train": ("sub-1",), "test": ("sub-2",)}, 0)
    return Run("mine", cohort, split, Config())


def begin(run: Run) -> None:
    with run.open() as output:
        run.bind(output)
        (run.folder / STACKS).write_bytes(b"stacks")


def test_the_same_run_is_gone_on_with(run: Run) -> None:
    begin(run)
    before = (run.folder / BINDING).read_bytes()
    begin(run)
    assert (run.folder / BINDING).read_bytes() == before


@pytest.mark.parametrize("what", ["settings", "data", "labels", "split"])
def test_another_run_under_its_name_is_refused_and_changes_nothing(run: Run, what: str) -> None:
    begin(run)
    first = run.cohort.scans[0]
    other = {
        "settings": replace(run, config=Config(prepare=PrepareConfig(window_high=60))),
        "data": replace(
            run,
            cohort=replace(run.cohort, scans=(replace(first, scan_uid="b" * 32),)),
        ),
        "labels": replace(run, cohort=replace(run.cohort, labels={"sub-1": 1, "sub-2": 0})),
        "split": replace(run, split=Split("mine", {"train": ("sub-2",), "test": ("sub-1",)}, 0)),
    }[what]
    before = {path.name: path.read_bytes() for path in run.folder.iterdir()}
    with pytest.raises(OutputExists, match="--name"), other.open():
        raise AssertionError("opened")
    assert {path.name: path.read_bytes() for path in run.folder.iterdir()} == before
    with replace(other, name="another").open() as output:
        other.bind(output)


def test_a_folder_of_somebodys_files_is_refused(run: Run) -> None:
    run.folder.mkdir(parents=True)
    (run.folder / "notes.txt").write_text("mine")
    with pytest.raises(OutputExists), run.open():
        raise AssertionError("opened")
    assert [path.name for path in run.folder.iterdir()] == ["notes.txt"]


def test_a_damaged_binding_and_a_changed_result_are_refused(run: Run) -> None:
    begin(run)
    (run.folder / "figures").mkdir()
    for name in (TEST_METRICS, "figures/training.svg"):
        (run.folder / name).write_text("mine")
        with pytest.raises(OutputExists, match=name), run.open():
            raise AssertionError("opened")
        (run.folder / name).unlink()
    (run.folder / BINDING).write_text("{")
    with pytest.raises(OutputExists), run.open():
        raise AssertionError("opened")


def test_a_run_that_is_open_is_in_use(run: Run) -> None:
    with run.open(), pytest.raises(InUse), run.open():
        raise AssertionError("opened twice")
