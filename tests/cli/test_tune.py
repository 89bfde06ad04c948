"""``hemocast tune`` tells what it found, and refuses by a code what cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemocast.cli.main import run
from hemocast.config import load_config
from hemocast.files import write_json

pytestmark = pytest.mark.usefixtures("tables_are_listed")

pytest.importorskip("optuna")


def end(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        run(["tune", *map(str, arguments)])
    return int(ended.value.code or 0)


def test_settings_are_found_and_what_cannot_be_is_refused(tmp_path: Path, capsys) -> None:
    root = tmp_path / "stacks"
    root.mkdir()
    made_by = {"DatasetType": "derivative", "GeneratedBy": [{"Name": "hemocast"}]}
    write_json(root / "dataset_description.json", made_by | {"Simulated": True})
    np.save(root / "stacks.npy", np.random.default_rng(0).integers(99, 180, (8, 8, 64, 64), "u1"))
    scans = [f"sub-{i}\tsub-{i}_ses-01\t{i}" for i in range(8)]
    (root / "scans.tsv").write_text("\n".join(["participant_id\tscan_id\trow", *scans]))
    labels = [f"sub-{i}\t{i % 2}" for i in range(8)]
    (root / "labels.tsv").write_text("\n".join(["participant_id\tlabel", *labels]))
    (tmp_path / "run.yaml").write_text(
        "prepare: {frames: 8, size: 64}\nnet: {pool: 2, stem: 8, widths: [8]}\n"
        "train: {epochs: 1, threads: 1, validation_fraction: 0.4}\n"
    )
    out = tmp_path / "tuned"
    asked = [root, "--config", tmp_path / "run.yaml", "--test-fraction", 0.3]
    assert end(*asked, "--out", out, "--trials", 1) == 0
    assert "1 trial(s)" in capsys.readouterr().out
    assert load_config(out / "settings.yaml").train.epochs == 1
    assert end(*asked, "--out", out, "--trials", 1, "--length", 0.5) == 2
    assert capsys.readouterr().err.startswith("HC")
    assert end(tmp_path / "nothing", "--out", tmp_path / "other") == 4
    assert capsys.readouterr().err.startswith("HC101 ")
