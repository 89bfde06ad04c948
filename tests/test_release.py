"""A release: built twice the same, small, and at work in an environment of its own."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_MB = 750

pytestmark = pytest.mark.slow


def _clean() -> dict[str, str]:
    """Return the environment without what would let the source tree be imported."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that `make dist` fills, built from a clone."""
    if not (ROOT / ".git").exists():
        pytest.skip("the source tree is no git repository")
    root = tmp_path_factory.mktemp("release")
    subprocess.run(["git", "clone", "-q", ROOT, root / "clone"], check=True)
    command = ["make", "dist", f"PYTHON={sys.executable}", f"DIST={root / 'dist'}"]
    subprocess.run(command, cwd=root / "clone", check=True, env=_clean())
    return root / "dist"


def test_a_second_build_gives_the_same_bytes(dist: Path) -> None:
    clone = dist.parent / "clone"
    when = subprocess.check_output(["git", "log", "-1", "--format=%ct"], cwd=clone, text=True)
    command = [dist / "tools" / "bin" / "python", "-m", "build", "--outdir", dist.parent / "again"]
    at = _clean() | {"SOURCE_DATE_EPOCH": when.strip()}
    subprocess.run([*command, clone], check=True, env=at)
    built = sorted(dist.parent.joinpath("again").iterdir())
    assert sorted(path.suffix for path in built) == [".gz", ".whl"]
    for path in built:
        assert path.read_bytes() == (dist / path.name).read_bytes()


def test_the_sums_are_those_of_the_files(dist: Path) -> None:
    lines = (dist / "SHA256SUMS").read_text().splitlines()
    sums = {name: number for number, name in (line.split() for line in lines)}
    assert {"sbom.cdx.json", "licences.md"} < sums.keys()
    for name, number in sums.items():
        assert sha256((dist / name).read_bytes()).hexdigest() == number


def test_the_bill_of_materials_names_all_and_no_gpl_is_among_them(dist: Path) -> None:
    bill = json.loads((dist / "sbom.cdx.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    named = {part["name"].lower().replace("_", "-") for part in bill["components"]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {line.split(">")[0].lower().replace("_", "-") for line in project["dependencies"]}
    assert needed <= named
    assert "torch" not in named
    rows = [row for row in (dist / "licences.md").read_text().splitlines() if "GPL" in row]
    assert [row for row in rows if "LGPL" not in row and "Lesser" not in row] == []


def test_the_core_is_small_and_predicts_without_the_source(dist: Path, tmp_path: Path) -> None:
    files = [path for path in (dist / "core").rglob("*") if not path.is_symlink()]
    assert sum(path.stat().st_size for path in files if path.is_file()) < MOST_MB * 1e6

    def run(*words: str | Path) -> None:
        done = subprocess.run(
            [dist / "core" / "bin" / "python", "-I", "-m", "hemocast", *words],
            cwd=tmp_path, env=_clean(), capture_output=True, text=True,
        )  # fmt: skip
        # A simulated scan may show blood, and is refused then, with a row and a page all the same.
        assert done.returncode in {0, 4}, done.stderr

    run("simulate", "--preset", "tiny", "--patients", "2", "--out", "cohort")
    run("predict", *(tmp_path / "cohort" / "dicom").iterdir(), "--out", "out")
    with (tmp_path / "out" / "predictions.csv").open(newline="") as file:
        scans = [row for row in csv.DictReader(file) if row["case"] != "n/a"]
    assert len(scans) == len(list((tmp_path / "out").rglob("report.html"))) > 1
