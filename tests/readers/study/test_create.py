"""Making a study: which scans; never over another one; one at a time; finished when stopped."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hemocast.dataset import Dataset
from hemocast.errors import (
    ConfigError,
    HemocastError,
    InUse,
    NoSpace,
    NothingThere,
    NotWritable,
    OutputExists,
    StoreError,
    TableError,
    TooFewPatients,
)
from hemocast.files import TEMPORARY, write_table
from hemocast.model.prediction import HEATMAP_UNIT
from hemocast.readers.study.create import StudyPlan, choose_scans, create_study
from hemocast.readers.study.folder import held_study, open_study, study_folder

Contents = Callable[[Path], dict[str, bytes | None]]
PEOPLE = ["sub-a1", "sub-b2", "sub-c3"]
PLAN = StudyPlan(readers=("A", "B"), repeats=0)


def test_first_scans_of_labelled_patients_of_the_test_part_are_taken(dataset: Dataset) -> None:
    assert [scan.scan_id for scan in choose_scans(dataset, None)] == [f"{p}_ses-01" for p in PEOPLE]
    assert [scan.scan_id for scan in choose_scans(dataset, "one")] == ["sub-b2_ses-01"]
    with pytest.raises(NothingThere):
        choose_scans(dataset, "none")


def test_scans_that_prediction_would_refuse_are_left_out_with_their_reason(
    dataset: Dataset,
) -> None:
    made = create_study(dataset, "first", StudyPlan(readers=("A",), repeats=0.5))
    assert [case.participant_id for case in made.design.cases] == PEOPLE[:2]
    assert len(made.left_out) == 1
    assert made.left_out[0].startswith("HC303 ")
    assert len(made.design.repeats) == 1
    assert made.design.simulated is False
    text = (study_folder(dataset, "first") / "study.yaml").read_text()
    assert "label" not in text


def test_a_study_is_made_once_and_another_design_never_replaces_it(
    content_of: Contents, prepared: Dataset
) -> None:
    create_study(prepared, "frozen", PLAN)
    before = content_of(study_folder(prepared, "frozen"))
    assert create_study(prepared, "frozen", PLAN).design.seed == 0
    for change in ({"seed": 1}, {"readers": ("A",)}, {"repeats": 0.5}, {"washout_days": 3.0}):
        with pytest.raises(OutputExists, match=r"another design .*" + next(iter(change))):
            create_study(prepared, "frozen", PLAN.model_copy(update=change))
    with pytest.raises(OutputExists, match="cases"):
        create_study(prepared, "frozen", PLAN.model_copy(update={"split": "one"}))
    assert content_of(study_folder(prepared, "frozen")) == before


def test_a_refused_model_leaves_the_pictures_of_the_first(
    content_of: Contents, copied: Dataset, results: Callable[..., Path], tmp_path: Path
) -> None:
    rows = [f"{person}_ses-01,0.25" for person in PEOPLE]
    first = results("scan_id,probability", *rows)
    create_study(copied, "model", PLAN, model=first)
    before = content_of(study_folder(copied, "model"))
    second = tmp_path / "predicted"
    second.mkdir()
    shutil.copy(first, second / "predictions.csv")
    for person in PEOPLE:
        scan = second / f"{person}_ses-01"
        scan.mkdir()
        (scan / "heatmap.nii.gz").write_bytes(b"another model's")
        record = {
            "model": {"name": "another"}, "simulated_training_data": True,
            "heatmap_unit": HEATMAP_UNIT,
        }  # fmt: skip
        (scan / "prediction.json").write_text(json.dumps(record))
    for model in (second, None):
        with pytest.raises(OutputExists, match="model"):
            create_study(copied, "model", PLAN, model=model)
    assert content_of(study_folder(copied, "model")) == before


KILLED = """
import os, signal, sys
from pathlib import Path
from hemocast.dataset import Dataset
from hemocast.readers.study.create import StudyPlan, create_study
from hemocast.readers.study.folder import held_study
dataset = Dataset(Path(sys.argv[1]))
def stop(done, total):
    print("held", flush=True)
    if sys.argv[2] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.read()
create_study(dataset, "killed", StudyPlan(readers=("A", "B"), repeats=0), progress=stop)
"""


def test_two_at_once_are_refused_and_a_killed_one_is_finished(copied: Dataset) -> None:
    command = [sys.executable, "-c", KILLED, copied.root]
    running = subprocess.Popen(
        [*command, "wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stdout.readline() == "held\n"
    with pytest.raises(InUse, match="reader study, process"):
        create_study(copied, "killed", PLAN)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert subprocess.run([*command, "die"], capture_output=True).returncode == -signal.SIGKILL
    folder = study_folder(copied, "killed")
    (pictures,) = (folder / "images").iterdir()  # one case was done
    (folder / "images" / f"{TEMPORARY}abc.frames.gz").write_bytes(b"half")
    at = pictures.stat().st_mtime_ns
    made = create_study(copied, "killed", PLAN)
    assert len(made.design.cases) == 2
    assert pictures.stat().st_mtime_ns == at
    assert len(list((folder / "images").iterdir())) == 2
    with held_study(copied, "killed") as study:
        assert study.design == made.design


def test_a_study_of_the_version_before_opens_and_a_stopped_one_is_finished(
    content_of: Contents,
    copied: Dataset,
) -> None:
    folder = study_folder(copied, "prepared")
    for ours in folder.glob(".hemocast*"):
        ours.unlink()
    open_study(copied, "prepared").close()
    assert create_study(copied, "prepared", PLAN).design.name == "prepared"
    stopped = study_folder(copied, "stopped")
    shutil.copytree(folder / "images", stopped / "images")
    before = content_of(stopped / "images")
    create_study(copied, "stopped", PLAN)
    assert content_of(stopped / "images") == before


NAMES = st.sampled_from(
    ["study.yaml", "answers.sqlite", "readings.csv", "images/a.frames.gz", "images", "notes.txt"]
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, st.binary(max_size=60), min_size=1))
def test_no_byte_of_a_folder_that_is_not_a_study_changes(
    content_of: Contents, prepared: Dataset, files: dict[str, bytes]
) -> None:
    folder = study_folder(prepared, f"user-{uuid4().hex[:8]}")
    folder.mkdir()
    for name, content in files.items():
        if name.startswith("images/") == ("images" not in files):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
    (folder / "mine.txt").write_bytes(b"mine")
    before = content_of(folder)
    for call in (create_study, open_study):
        with pytest.raises(HemocastError):
            call(prepared, folder.name, *([PLAN] if call is create_study else []))
    with pytest.raises(HemocastError), held_study(prepared, folder.name):
        pass
    assert content_of(folder) == before
    shutil.rmtree(folder)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(
            ["dataset_description.json", "scans.tsv", "labels.tsv", "participants.tsv", "README"]
            + [f"derivatives/hemocast/readers/s/{name}" for name in ("study.yaml", "notes")]
        ),
        st.binary(max_size=60) | st.just(b"participant_id\tlabel\nsub-1\t1\n") | st.just(b"{}"),
        min_size=1,
    )
)
def test_no_byte_of_a_folder_that_is_no_dataset_changes(
    content_of: Contents, tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    root = tmp_path_factory.mktemp("mine")
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    before = content_of(root)
    for call in (create_study, open_study):
        with pytest.raises(HemocastError):
            call(Dataset(root), "s", *([PLAN] if call is create_study else []))
    with pytest.raises(HemocastError), held_study(Dataset(root), "s"):
        pass
    assert content_of(root) == before


def test_tables_that_lack_what_is_needed_are_refused(copied: Dataset) -> None:
    (copied.root / "scans.tsv").write_text("mine\n1\n")
    with pytest.raises(TableError, match="lacks a column"):
        create_study(copied, "s", PLAN)
    (copied.root / "scans.tsv").unlink()
    with pytest.raises(NothingThere):
        create_study(copied, "s", PLAN)


@pytest.mark.parametrize(
    "change",
    [{"readers": ("a b",)}, {"seed": -1}, {"repeats": 0.6}, {"repeats": float("nan")}],
)
def test_a_plan_that_cannot_be_is_refused_before_anything_is_made(
    copied: Dataset, change: dict[str, object]
) -> None:
    shutil.rmtree(copied.root / "derivatives")
    with pytest.raises(ConfigError):
        create_study(copied, "s", PLAN.model_copy(update=change))
    with pytest.raises(StoreError):
        create_study(copied, "s", PLAN, database="postgresql://nobody@127.0.0.1:1/none")
    assert not (copied.root / "derivatives" / "hemocast" / "stacks").exists()


def test_a_disk_too_small_is_refused_before_anything_is_made(
    copied: Dataset, monkeypatch: pytest.MonkeyPatch, content_of: Contents
) -> None:
    before = content_of(copied.root)
    usage = shutil.disk_usage(copied.root)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    with pytest.raises(NoSpace):
        create_study(copied, "new", PLAN)
    assert content_of(copied.root) == before


def test_a_file_where_the_study_should_be_is_refused(copied: Dataset) -> None:
    study_folder(copied, "file").write_bytes(b"mine")
    with pytest.raises(NotWritable):
        create_study(copied, "file", PLAN)
    assert study_folder(copied, "file").read_bytes() == b"mine"


def test_what_is_not_there_is_said(dataset: Dataset) -> None:
    with pytest.raises(NothingThere, match="no such study"):
        open_study(dataset, "never")
    create_study(dataset, "gone", StudyPlan(repeats=0))
    for picture in (study_folder(dataset, "gone") / "images").iterdir():
        picture.unlink()
    with pytest.raises(NothingThere, match="2 of 2"):
        open_study(dataset, "gone")
    blood_only = [{"participant_id": p, "part": "test" if p == PEOPLE[2] else "a"} for p in PEOPLE]
    write_table(dataset.root / "splits" / "blood.tsv", blood_only, ["participant_id", "part"])
    with pytest.raises(TooFewPatients, match="HC303"):
        create_study(dataset, "empty", StudyPlan(split="blood"))
