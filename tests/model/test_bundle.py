from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from hemocast.errors import ModelCorrupt, ModelNotFound, NotWritable, OutputExists
from hemocast.model import load, load_default

FILES = {"weights.safetensors", "model.onnx", "model.yaml", "card.md"}


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def test_the_folder_holds_four_files_and_no_pickle(folder):
    assert {path.name for path in folder.iterdir()} == FILES
    for path in folder.iterdir():
        assert not path.read_bytes().startswith((b"\x80", b"PK"))


def test_weights_are_those_of_the_network(folder):
    weights = load_file(folder / "weights.safetensors")
    np.testing.assert_array_equal(weights["head.weight"][0], load(folder).head_weights)
    assert float(weights["head.bias"][0]) == load(folder).description.bias == 0.25


def test_saving_twice_gives_the_same_hash(folder, save, tmp_path):
    assert save(tmp_path / "again").hash == load(folder).hash
    assert save(tmp_path / "renamed", version="0.2").hash != load(folder).hash


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("where", [0.0, 0.37, 0.999])
def test_a_flipped_byte_is_seen_in_every_file(copy, name, where):
    data = bytearray((copy / name).read_bytes())
    data[int(where * len(data))] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(ModelCorrupt) as caught:
        load(copy)
    assert name in str(caught.value)


@pytest.mark.parametrize("name", sorted(FILES - {"model.yaml"}))
def test_a_missing_file_is_seen(copy, name):
    (copy / name).unlink()
    with pytest.raises(ModelCorrupt, match=name):
        load(copy)


def test_no_model_there(tmp_path, copy):
    (copy / "model.yaml").unlink()
    for path in (tmp_path / "nowhere", tmp_path, copy):
        with pytest.raises(ModelNotFound):
            load(path)


def test_a_full_folder_is_not_overwritten(save, tmp_path):
    (tmp_path / "mine.txt").write_text("work")
    with pytest.raises(OutputExists):
        save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_failed_save_leaves_nothing(save, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(NotWritable):
        save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_the_card_says_what_it_is_and_carries_the_notes(save, tmp_path):
    save(tmp_path / "model", notes="## Results\nAUC .5")
    text = (tmp_path / "model" / "card.md").read_text()
    assert "demonstration model, trained on simulated scans, not for clinical use" in text
    assert "HT on a simulated follow-up scan" in text
    assert text.endswith("## Results\nAUC .5\n")


def test_the_default_model_loads_or_says_that_it_is_missing():
    try:
        model = load_default()
    except ModelNotFound:
        return
    assert model.description.simulated_training_data
