"""``hemocast crossval`` tells the result, and refuses by a code what cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemocast.cli.main import run
from hemocast.files import write_json

pytestmark = pytest.mark.usefixtures("tables_are_listed")


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    """Eight patients as stacks, every second with HT."""
    root = tmp_path / "stacks"
    root.mkdir()
    made_by = {"DatasetType": "derivative", "GeneratedBy": [{"Name": "hemocast"}]}
    write_json(root / "dataset_description.json", made_by | {"Simulated": True})
    frames = np.random.default_rng(0).integers(100, 180, (8, 8, 64, 64), np.uint8)
    np.save(root / "stacks.npy", frames)
    scans = [f"sub-{i}\tsub-{i}_ses-01\t{i}" for i in range(8)]
    (root / "scans.tsv").write_text("\n".join(["participant_id\tscan_id\trow", *scans]))
    labels = [f"sub-{i}\t{i % 2}" for i in range(8)]
    (root / "labels.tsv").write_text("\n".join(["participant_id\tlabel", *labels]))
    (tmp_path / "run.yaml").write_text(
        "prepare: {frames: 8, size: 64}\nnet: {pool: 2, stem: 8, widths: [8]}\n"
        "train: {epochs: 1, threads: 1, validation_fraction: 0.4}\n"
    )
    return root


def end(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        run(["crossval", *map(str, arguments)])
    return int(ended.value.code or 0)


def test_the_result_is_told_and_the_table_written(stacks: Path, tmp_path: Path, capsys) -> None:
    config = tmp_path / "run.yaml"
    assert end(stacks, "--out", tmp_path / "cv", "--folds", 2, "--config", config) == 0
    told = capsys.readouterr().out
    assert "Out of fold: 8 patients; 8 scans, 4 of them of patients with HT" in told
    assert "auc" in told
    assert len((tmp_path / "cv" / "predictions.csv").read_text().splitlines()) == 9


def test_what_cannot_be_is_one_line_and_a_code(stacks: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "size.yaml").write_text("train: {validation_fraction: 0.4}")  # another size
    config = tmp_path / "size.yaml"
    assert end(stacks, "--out", tmp_path / "cv", "--folds", 2, "--config", config) == 2
    assert capsys.readouterr().err.startswith("HC002 ")
    assert end(tmp_path / "nothing", "--out", tmp_path / "other") == 4
    assert capsys.readouterr().err.startswith("HC101 ")
    assert end(stacks, "--out", tmp_path / "other", "--folds", 1) == 2


def test_site_effects_of_pixels_are_refused_before_any_work(
    stacks: Path, tmp_path: Path, capsys
) -> None:
    out = tmp_path / "cv"
    asked = ("--folds", 2, "--harmonise", "--config", tmp_path / "run.yaml")
    assert end(stacks, "--out", out, *asked) == 2
    told = capsys.readouterr().err
    assert told.startswith("HC002 ")
    assert "--encoder own" in told
    assert not out.exists()
