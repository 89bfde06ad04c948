"""``hemocast export`` tells what it wrote, and refuses by a code what cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemocast.cli.main import run
from hemocast.files import write_json


def end(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        run(["export", *map(str, arguments)])
    return int(ended.value.code or 0)


def test_scans_are_written_and_what_cannot_be_is_refused(tmp_path: Path, capsys) -> None:
    root = tmp_path / "stacks"
    root.mkdir()
    made_by = {"DatasetType": "derivative", "GeneratedBy": [{"Name": "hemocast"}]}
    write_json(root / "dataset_description.json", made_by | {"Simulated": True})
    np.save(root / "stacks.npy", np.full((1, 4, 8, 8), 99, np.uint8))
    (root / "scans.tsv").write_text("participant_id\tscan_id\trow\nsub-1\tsub-1_ses-01\t0\n")
    (root / "labels.tsv").write_text("participant_id\tlabel\nsub-1\t1\n")
    assert end(root, "--out", tmp_path / "out") == 0
    assert "1 without" in capsys.readouterr().out
    written = tmp_path / "out" / "Dataset501_Infarct" / "imagesTs" / "sub-1_ses-01_0000.nii.gz"
    assert written.is_file()
    assert end(root, "--out", tmp_path / "other", "--name", "a b") == 2
    assert capsys.readouterr().err.startswith("HC002 ")
    assert end(tmp_path / "nothing", "--out", tmp_path / "other") == 4
    assert capsys.readouterr().err.startswith("HC101 ")
