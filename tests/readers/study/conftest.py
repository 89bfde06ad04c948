"""A dataset with one study made, and copies of it that a test may spoil."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hemocast.dataset import Dataset
from hemocast.readers.study.create import StudyPlan, create_study

PLAN = StudyPlan(readers=("A", "B"), repeats=0)


@pytest.fixture(scope="session")
def prepared(dataset: Dataset) -> Dataset:
    """The dataset, its scans prepared and its pictures made once."""
    create_study(dataset, "prepared", PLAN)
    return dataset


@pytest.fixture
def copied(prepared: Dataset, tmp_path: Path) -> Dataset:
    """A copy that a test may spoil."""
    return Dataset(shutil.copytree(prepared.root, tmp_path / "copy"))


@pytest.fixture(scope="session")
def content_of() -> Callable[[Path], dict[str, bytes | None]]:
    """Return a function that gives every file and folder, and the bytes of the files."""

    def _content(folder: Path) -> dict[str, bytes | None]:
        return {
            str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
            for path in sorted(folder.rglob("*"))
        }

    return _content
