from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemocast.cli.main import run
from hemocast.nets.hemispheres import FINDINGS
from hemocast.train.pretrain.encoder import read_about
from hemocast.train.pretrain.findings import COLUMNS


def _ended(arguments: list[str]) -> int:
    try:
        run(arguments)
    except SystemExit as error:
        return int(error.code or 0)
    return 0


@pytest.fixture
def pretrainable(tmp_path) -> Path:
    """Return two stacks of noise with findings."""
    out = tmp_path / "cohort"
    rng = np.random.default_rng(0)
    for name, shape in (("stacks/stacks", (2, 8, 24, 24)), ("findings/lesions", (2, 8, 24, 3))):
        (out / name).parent.mkdir(parents=True)
        np.save(out / f"{name}.npy", rng.integers(0, 200, shape, np.uint8))
    rows = ["\t".join(COLUMNS)]
    rows += [f"s{k}\t{k}\tleft\t9\t0.1\t9\t0\t1\t60" for k in range(2)]
    (out / "findings" / "findings.tsv").write_text("\n".join(rows) + "\n")
    return out


def test_it_goes_on_when_it_is_run_again_and_says_so(tmp_path, capsys, pretrainable):
    out = tmp_path / "encoder"
    words = ["pretrain", str(pretrainable), "--out", str(out), "--steps", "2", "--members", "1"]
    assert _ended([*words, "--minutes", "0"]) == 0
    assert "run the same command again" in capsys.readouterr().out
    assert not (out / "encoder.json").exists()
    assert _ended(words) == 0
    assert str(out) in capsys.readouterr().out.replace("\n", "")
    assert all(name in (out / "encoder.json").read_text() for name in FINDINGS)


def test_a_cohort_without_findings_is_refused_with_what_to_do(tmp_path, capsys):
    assert _ended(["pretrain", str(tmp_path), "--out", str(tmp_path / "out")]) in (2, 4)
    assert capsys.readouterr().err.startswith("HC")
    assert not (tmp_path / "out").exists()


def test_a_settings_file_says_how_large_the_network_is(tmp_path, pretrainable):
    settings = tmp_path / "wider.yaml"
    settings.write_text("net: {name: ctnet3d, pool: 2, stem: 8, widths: [8, 12]}\n")
    out = tmp_path / "encoder"
    words = ["pretrain", str(pretrainable), "--config", str(settings), "--steps", "1"]
    assert _ended([*words, "--out", str(out)]) == 0
    assert read_about(out).net.widths == (8, 12)
