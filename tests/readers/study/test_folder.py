"""A study's folder: opened whole or refused, held by one, and as private as it must be."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from hemocast.dataset import Dataset
from hemocast.errors import (
    ConfigError,
    InUse,
    OutputExists,
    StoreError,
)
from hemocast.readers.store.answers import Answer
from hemocast.readers.study.create import StudyPlan, create_study
from hemocast.readers.study.folder import held_study, open_study, study_folder

Contents = Callable[[Path], dict[str, bytes | None]]
PEOPLE = ["sub-a1", "sub-b2", "sub-c3"]
PLAN = StudyPlan(readers=("A", "B"), repeats=0)


def test_a_design_changed_after_a_reading_is_refused(prepared: Dataset) -> None:
    create_study(prepared, "changed", PLAN)
    study = open_study(prepared, "changed")
    shown = study.design.reading_list("A")[0]
    study.store.add(shown, Answer(str(uuid4()), 0.5), study.design.hash())
    study.close()
    path = study_folder(prepared, "changed") / "study.yaml"
    path.write_text(path.read_text().replace("seed: 0", "seed: 2"))
    with pytest.raises(OutputExists, match="not the one"):
        open_study(prepared, "changed")
    path.write_text(path.read_text().replace("seed: 2", "seed: 0"))
    open_study(prepared, "changed").close()


def test_while_a_reading_room_is_open_nothing_else_is_made_or_opened(prepared: Dataset) -> None:
    create_study(prepared, "open", PLAN)
    with held_study(prepared, "open"):
        with pytest.raises(InUse, match="a reading room"):
            create_study(prepared, "open", PLAN)
        with pytest.raises(InUse), held_study(prepared, "open"):
            pass
        open_study(prepared, "open").close()  # an export goes on
    create_study(prepared, "open", PLAN)


@pytest.mark.parametrize("end", [0, 10, 200, -1, -20])
def test_a_design_cut_short_is_refused_and_stays(
    content_of: Contents, copied: Dataset, end: int
) -> None:
    path = study_folder(copied, "prepared") / "study.yaml"
    path.write_bytes(path.read_bytes()[:end])
    before = content_of(path.parent)
    for call in (create_study, open_study):
        with pytest.raises(ConfigError):
            call(copied, "prepared", *([PLAN] if call is create_study else []))
    assert content_of(path.parent) == before


@pytest.mark.parametrize("content", [b"", b"no database at all" * 99, "half"])
def test_answers_that_are_no_whole_database_are_refused_and_stay(
    copied: Dataset, content: bytes | str
) -> None:
    study = open_study(copied, "prepared")
    for order in range(20):
        answer = Answer(str(uuid4()), 0.5, regions="[]" * 2000)
        study.store.add(study.design.reading_list("A")[order % 2], answer, study.design.hash())
    study.close()
    path = study_folder(copied, "prepared") / "answers.sqlite"
    spoiled = path.read_bytes()[: path.stat().st_size // 2] if content == "half" else content
    path.write_bytes(spoiled)
    with pytest.raises(StoreError):
        open_study(copied, "prepared")
    with pytest.raises(StoreError):
        create_study(copied, "prepared", PLAN)
    assert path.read_bytes() == spoiled


def test_the_answers_file_is_the_owners_alone(dataset: Dataset) -> None:
    create_study(dataset, "mine", StudyPlan(repeats=0))
    open_study(dataset, "mine").store.close()
    folder = study_folder(dataset, "mine")
    assert (folder / "answers.sqlite").stat().st_mode & 0o777 == 0o600
    umask = os.umask(0)
    os.umask(umask)
    assert (folder / "study.yaml").stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "a" * 41, "a b", "é"])
def test_a_name_that_is_a_path_is_refused(dataset: Dataset, name: str) -> None:
    with pytest.raises(ConfigError):
        study_folder(dataset, name)
