"""A user who may not read every file of a scan is told so, and gets no result without them.

Permissions do not bind the superuser, who may run these tests: the thread gives that privilege up
for the test.
"""

from __future__ import annotations

import csv
import ctypes
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]
_VERSION = 0x20080522
_READ_EVERYTHING = 0b110
"""Of linux/capability.h: _LINUX_CAPABILITY_VERSION_3; CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""


@pytest.fixture
def bound() -> Iterator[None]:
    """Take from this thread what lets the superuser read every file."""
    if os.geteuid():
        yield
        return
    libc = ctypes.CDLL(None)
    thread, held = (ctypes.c_uint32 * 2)(_VERSION, 0), (ctypes.c_uint32 * 6)()
    if not hasattr(libc, "capset") or libc.capget(thread, held):
        pytest.skip("the superuser reads everything, and may not give that up here")
    fewer = (ctypes.c_uint32 * 6)(held[0] & ~_READ_EVERYTHING, *held[1:])
    assert libc.capset(thread, fewer) == 0
    yield
    assert libc.capset(thread, held) == 0


@pytest.fixture
def place(ge_head: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder with a copy of the real head, 28 files, in ``scans/a``; work there."""
    shutil.copytree(ge_head, tmp_path / "scans" / "a")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for path in (tmp_path / "scans").iterdir():
        path.chmod(0o755)


pytestmark = pytest.mark.usefixtures("bound")


def slices(place: Path) -> list[Path]:
    return sorted(path for path in (place / "scans" / "a").rglob("*") if path.is_file())


def test_a_slice_without_permission_refuses_the_prediction(place: Path, hemocast: Run) -> None:
    slices(place)[14].chmod(0)
    done = hemocast("predict", "scans/a", "--out", "out")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "HC109" in done.stdout
    assert "Permission denied" in done.stdout
    assert "Traceback" not in done.stderr
    (row,) = csv.DictReader((place / "out" / "predictions.csv").open(encoding="utf-8", newline=""))
    assert (row["status"], row["code"], row["probability"]) == ("refused", "HC109", "")
    slices(place)[14].chmod(0o644)
    assert hemocast("predict", "scans/a", "--out", "out").returncode == 0


def test_a_folder_that_cannot_be_listed_refuses_too(place: Path, hemocast: Run) -> None:
    (place / "scans" / "b").mkdir(mode=0)
    done = hemocast("predict", "scans", "scans/b", "--out", "out")
    assert (done.returncode, done.stdout.count("HC109")) == (4, 2), done.stdout + done.stderr
    done = hemocast("ingest", "scans", "scans/b", "--out", "dataset")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "1 scan(s) added" in done.stdout
    rows = (place / "dataset" / "quality" / "refused.tsv").read_text().splitlines()[1:]
    assert [row.split("\t")[:2] for row in rows] == [["n/a", "HC109"]] * 2


def test_deidentify_tells_of_what_it_could_not_read(place: Path, hemocast: Run) -> None:
    (place / "scans" / "b").mkdir(mode=0)
    done = hemocast("deidentify", "scans/b", "--out", "clean")
    assert done.returncode == 4, done.stdout + done.stderr
    lost = slices(place)[3]
    lost.chmod(0)
    done = hemocast("deidentify", "scans", "--out", "clean")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "27 file(s) written" in done.stdout
    assert "2 left behind with HC109" in done.stdout
    assert lost.name not in (place / "clean" / "left_behind.tsv").read_text()
