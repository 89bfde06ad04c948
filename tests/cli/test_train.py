"""``hemocast train`` refuses with one line and a code what cannot be, before any work."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("settings", "arguments", "code"),
    [
        ("", ["--name", "study A (v2)"], "HC001"),
        ("", ["--horizon", "x" * 501], "HC001"),
        ("prepare: {size: 200}", [], "HC002"),
        ("prepare: {frames: 3}", [], "HC002"),
        ("net: {name: 'not a name'}", [], "HC002"),
        ("net: [", [], "HC002"),
        ("", ["--net", "clinical-ridge", "--encoder", "own"], "HC001"),
    ],
)
def test_what_cannot_be_is_one_line_and_two(
    hemocast, tmp_path: Path, settings: str, arguments: list[str], code: str
) -> None:
    (tmp_path / "run.yaml").write_text(settings)
    (tmp_path / "data").mkdir()
    out = tmp_path / "model"
    config = tmp_path / "run.yaml"
    done = hemocast("train", tmp_path / "data", "--out", out, "--config", config, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{code} ")
    assert done.stderr.count("\n") == 1
    assert not out.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "run.yaml"]


def test_a_folder_of_others_is_no_dataset(hemocast, tmp_path: Path) -> None:
    (tmp_path / "labels.tsv").write_text("participant_id\tlabel\nsub-1\t1\n")
    done = hemocast("train", tmp_path, "--out", tmp_path / "model")
    assert (done.returncode, done.stderr[:6]) == (4, "HC400 ")
    assert [path.name for path in tmp_path.iterdir()] == ["labels.tsv"]


def test_a_net_that_cannot_be_named_so_is_refused(hemocast, tmp_path: Path) -> None:
    done = hemocast("train", tmp_path, "--out", tmp_path / "model", "--net", "not a name")
    assert (done.returncode, done.stderr[:6]) == (2, "HC002 ")
    assert "--net" in done.stderr


@pytest.mark.parametrize("name", ["own", "ctnet", "./ctnet"])
def test_a_folder_is_not_hidden_by_an_encoder_that_comes_along(
    hemocast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    (tmp_path / name / "encoder.json").write_text("{}")
    done = hemocast("train", tmp_path, "--out", tmp_path / "model", "--encoder", name)
    assert (done.returncode, done.stderr[:6]) == (2, "HC001 ")
    assert "whole path" in done.stderr
    whole = hemocast("train", tmp_path, "--out", tmp_path / "model", "--encoder", tmp_path / name)
    assert whole.stderr[:6] == "HC502 "  # the folder was looked at
