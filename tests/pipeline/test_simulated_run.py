"""The folder of a long run: never somebody else's, and every check before the first step."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hemocast.train
from hemocast.config import Config
from hemocast.dataset import Dataset
from hemocast.errors import InUse, MissingExtra, NoSpace, OutputExists
from hemocast.files import RECORD, SET_ASIDE, claim, kind_of
from hemocast.pipeline import demo
from hemocast.pipeline.demo import run_demo
from hemocast.pipeline.reproduce import run as reproduction
from hemocast.pipeline.reproduce.run import reproduce
from hemocast.pipeline.simulated_run import (
    COLUMNS,
    MODEL,
    RunFolder,
    RunOptions,
    bytes_of,
    predictions_table,
    train_into,
)
from hemocast.pipeline.train import Trained
from hemocast.simulate import DEMO, TINY

Run = Callable[[Path], object]
RUNS: list[Run] = [run_demo, lambda out: reproduce(out, fast=True)]
NAMES = sorted(
    {
        *demo.FOLDER.results, *reproduction.FOLDER.results, "demo.yaml", "reproduce.yaml", "model",
        "simulated", "dataset", "dataset.key", "notes.txt", "sub/scan.nii.gz", "model/card.md",
        "figures/mine.svg", "simulated/simulation.yaml", "dataset/participants.tsv",
    }
)  # fmt: skip


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """All that lies in a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=40), min_size=1, max_size=6),
    run=st.sampled_from(RUNS),
)
def test_no_byte_of_a_users_folder_changes(
    files: dict[str, bytes], run: Run, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("users")
    for name, content in files.items():
        path = folder / name
        if not path.is_dir() and not any(parent.is_file() for parent in path.parents):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    before = snapshot(folder)
    with pytest.raises(OutputExists):
        run(folder)
    assert snapshot(folder) == before


@pytest.mark.parametrize("run", RUNS)
def test_what_is_not_installed_is_told_of_before_anything_is_made(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("hemocast.train.")]:
        monkeypatch.delitem(sys.modules, name)
        monkeypatch.delattr(hemocast.train, name.split(".")[2], raising=False)
    monkeypatch.setitem(sys.modules, "lightning", None)
    with pytest.raises(MissingExtra, match="train"):
        run(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("run", RUNS)
def test_a_disk_too_small_is_told_of_before_anything_is_made(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10**8))
    with pytest.raises(NoSpace):
        run(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_runs_do_not_meet_in_one_folder(tmp_path: Path) -> None:
    with claim(tmp_path / "out", demo.NAME), pytest.raises(OutputExists):
        run_demo(tmp_path / "out")  # begun by nobody with these settings
    folder = RunFolder("trial", "plan.yaml", (), copies=1)
    with (
        folder.open(tmp_path / "other", Config(), TINY),
        pytest.raises(InUse),
        folder.open(tmp_path / "other", Config(), TINY),
    ):
        pass


def test_a_folder_of_the_version_before_goes_on_and_its_results_are_kept(tmp_path: Path) -> None:
    """It has settings and no record of its files: nobody can tell whether they were changed."""
    folder = RunFolder("trial", "plan.yaml", ("report.html", "figures", "other"), copies=1)
    with folder.open(tmp_path, Config(), TINY) as output:
        output.write_text("report.html", "first")
    (tmp_path / RECORD).unlink()
    (tmp_path / "report.html").write_text("with my notes")
    (tmp_path / "figures").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    with folder.open(tmp_path, Config(), TINY) as output:
        output.write_text("report.html", "second")
    assert (tmp_path / SET_ASIDE / "report.html").read_text() == "with my notes"
    assert (tmp_path / SET_ASIDE / "figures").is_dir()
    assert (tmp_path / "report.html").read_text() == "second"
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert kind_of(tmp_path) == "trial"
    with folder.open(tmp_path, Config(), TINY) as output:
        output.write_text("report.html", "third")
    assert (tmp_path / "report.html").read_text() == "third"


def test_a_changed_result_is_kept_and_told_of_at_once(tmp_path: Path) -> None:
    folder = RunFolder("trial", "plan.yaml", ("report.html",), copies=1)
    with folder.open(tmp_path, Config(), TINY) as output:
        output.write_text("report.html", "first")
    (tmp_path / "report.html").write_text("with my notes")
    with pytest.raises(OutputExists, match=r"report\.html"), folder.open(tmp_path, Config(), TINY):
        raise AssertionError("the run has begun")
    assert (tmp_path / "report.html").read_text() == "with my notes"


def test_a_larger_cohort_needs_more_room() -> None:
    assert bytes_of(DEMO.model_copy(update={"n_ht": 700})) > 4 * bytes_of(DEMO)
    assert 5e8 < bytes_of(DEMO) < 2e9


@pytest.fixture(scope="module")
def trained(
    dataset: Dataset, config: Config, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Trained]:
    out = tmp_path_factory.mktemp("run")
    return out, train_into(out, dataset, config, "run", 1 / 3, RunOptions())


def test_the_same_training_finds_its_model_and_another_is_not_replaced(
    trained: tuple[Path, Trained], dataset: Dataset, config: Config
) -> None:
    out, first = trained
    again = train_into(out, dataset, config, "run", 1 / 3, RunOptions())
    assert again.probability.tolist() == first.probability.tolist()
    assert sorted(path.name for path in out.iterdir()) == [MODEL]
    (out / MODEL / "card.md").write_text("my words")
    with pytest.raises(OutputExists, match="not the one"):
        train_into(out, dataset, config, "run", 1 / 3, RunOptions())
    assert (out / MODEL / "card.md").read_text() == "my words"
    assert sorted(path.name for path in out.iterdir()) == [MODEL]


def test_predictions_hold_every_held_out_scan_once_per_model(
    trained: tuple[Path, Trained],
) -> None:
    _, one = trained
    n = len(one.test)
    text = predictions_table(one, [("a", [0.25] * n, 0.5), ("b", one.probability.tolist(), 0.4)])
    lines = text.splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert len(lines) == 1 + 2 * n
    scan, label = one.test[0], one.label[0]
    assert lines[1] == f"{scan.participant_id},{scan.scan_id},{label},0.25,a,0.5,1"
