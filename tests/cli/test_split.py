"""``hemocast split`` as a user sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hemocast.cli.main import run
from hemocast.dataset.split.saved import read_parts


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Return a dataset's tables: 20 patients, every other one with HT, at two sites."""
    made = {"GeneratedBy": [{"Name": "hemocast"}], "DatasetType": "raw"}
    (tmp_path / "dataset_description.json").write_text(json.dumps(made))
    people = [f"sub-{i:012x}" for i in range(20)]
    for name, header, rows in (
        ("participants", "site", ["AB"[i < 8] for i in range(20)]),
        ("labels", "label", [str(i % 2) for i in range(20)]),
        ("scans", "scan_id", [f"{one}_ses-01" for one in people]),
    ):
        lines = [f"{one}\t{row}" for one, row in zip(people, rows, strict=True)]
        (tmp_path / f"{name}.tsv").write_text("\n".join([f"participant_id\t{header}", *lines]))
    return tmp_path


def _end(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        run(["split", *words])
    return int(ended.value.code or 0)


def test_sites_become_splits_that_training_and_the_leak_check_take(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _end(str(dataset), "--by", "site") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1] == (
        "splits/site-02-B.tsv: train 12 patients (6 with HT), test 8 patients (4 with HT); "
        "in more than one part: 0"
    )
    assert len(read_parts(dataset / "splits" / "site-01-A.tsv")["test"]) == 12
    with pytest.raises(SystemExit) as ended:
        run(["check-leakage", str(dataset), "--split", "site-01-A", "--no-pixels"])
    assert not ended.value.code


def test_a_name_keeps_its_split(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _end(str(dataset)) == 0
    before = (dataset / "splits" / "default.tsv").read_bytes()
    assert _end(str(dataset), "--seed", "7") == 2
    assert capsys.readouterr().err.startswith("HC00")
    assert (dataset / "splits" / "default.tsv").read_bytes() == before
    assert _end(str(dataset), "--seed", "7", "--name", "again") == 0


@pytest.mark.parametrize(
    "words",
    [
        ["--by", "date"], ["--first-test", "2019"], ["--name", "a/b"], ["--by", "scan"],
        ["--by", "folds", "--folds", "50"],
    ],
)  # fmt: skip
def test_what_cannot_be_split_so_is_refused(dataset: Path, words: list[str]) -> None:
    assert _end(str(dataset), *words) in {2, 4}
    assert not (dataset / "splits").exists()
