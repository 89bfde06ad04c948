"""A user who may not read every file of a scan is told so, and gets no result without them.

Permissions do not bind the superuser, who may run these tests: the command then runs without that
privilege.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def place(ge_head: Path, tmp_path: Path) -> Iterator[Path]:
    """Return a folder with a copy of the real head, 28 files, in ``scans/a``."""
    shutil.copytree(ge_head, tmp_path / "scans" / "a")
    yield tmp_path
    for path in (tmp_path / "scans").iterdir():
        path.chmod(0o755)


def hemocast(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    bound: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("the superuser reads everything, and setpriv is not installed")
        without = "-dac_override,-dac_read_search"
        bound = ["setpriv", f"--bounding-set={without}", f"--inh-caps={without}"]
    return subprocess.run(
        [*bound, sys.executable, "-m", "hemocast", *arguments],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=300,
    )


def slices(place: Path) -> list[Path]:
    return sorted(path for path in (place / "scans" / "a").rglob("*") if path.is_file())


def test_a_slice_without_permission_refuses_the_prediction(place: Path) -> None:
    slices(place)[14].chmod(0)
    done = hemocast(place, "predict", "scans/a", "--out", "out")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "HC109" in done.stdout
    assert "Permission denied" in done.stdout
    assert "Traceback" not in done.stderr
    (row,) = csv.DictReader((place / "out" / "predictions.csv").open(encoding="utf-8", newline=""))
    assert (row["status"], row["code"], row["probability"]) == ("refused", "HC109", "")
    slices(place)[14].chmod(0o644)
    assert hemocast(place, "predict", "scans/a", "--out", "out").returncode == 0


def test_a_folder_that_cannot_be_listed_refuses_too(place: Path) -> None:
    (place / "scans" / "b").mkdir(mode=0)
    for arguments in (["predict", "scans"], ["predict", "scans/b"]):
        done = hemocast(place, *arguments, "--out", "out")
        assert (done.returncode, "HC109" in done.stdout) == (4, True), done.stdout + done.stderr
    done = hemocast(place, "ingest", "scans", "scans/b", "--out", "dataset")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "1 scan(s) added" in done.stdout
    rows = (place / "dataset" / "quality" / "refused.tsv").read_text().splitlines()[1:]
    assert [row.split("\t")[:2] for row in rows] == [["n/a", "HC109"]] * 2


def test_deidentify_tells_of_what_it_could_not_read(place: Path) -> None:
    (place / "scans" / "b").mkdir(mode=0)
    done = hemocast(place, "deidentify", "scans/b", "--out", "clean")
    assert done.returncode == 4, done.stdout + done.stderr
    lost = slices(place)[3]
    lost.chmod(0)
    done = hemocast(place, "deidentify", "scans", "--out", "clean")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "27 file(s) written" in done.stdout
    assert "2 left behind with HC109" in done.stdout
    assert lost.name not in (place / "clean" / "left_behind.tsv").read_text()
