from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest

from hemocast.config import PrepareConfig
from hemocast.errors import NotABrain
from hemocast.prepare import cache as module
from hemocast.prepare import prepare, prepare_cached

CONFIG = PrepareConfig()


@pytest.fixture(scope="module")
def expected(plain):
    return prepare(plain, CONFIG)


@pytest.fixture
def counted(monkeypatch, expected):
    """Count the preparations made; answer with the one made before."""
    made = []

    def _prepare(volume, config):
        made.append(config)
        return replace(
            expected,
            record=replace(
                expected.record,
                input_hash=volume.content_hash(),
                settings_hash=config.hash(),
                doubts=("a", "b"),
            ),
        )

    monkeypatch.setattr(module, "prepare", _prepare)
    return made


def _same(one, other):
    return (
        np.array_equal(one.frames, other.frames)
        and np.array_equal(one.brain, other.brain)
        and np.array_equal(one.affine, other.affine)
        and one.record == other.record
    )


def test_what_is_read_back_is_what_prepare_makes(plain, expected, tmp_path):
    folder = tmp_path / "not" / "yet"
    assert _same(prepare_cached(plain, CONFIG, folder), expected)
    assert _same(prepare_cached(plain, CONFIG, folder), expected)
    assert len(list(folder.iterdir())) == 1


def test_a_scan_is_prepared_once_per_setting(plain, counted, tmp_path):
    first = prepare_cached(plain, CONFIG, tmp_path)
    assert _same(prepare_cached(plain, CONFIG, tmp_path), first)
    assert len(counted) == 1
    prepare_cached(plain, PrepareConfig(window_high=60), tmp_path)
    brighter = replace(plain, hu=plain.hu + np.float32(1))
    prepare_cached(brighter, CONFIG, tmp_path)
    assert len(counted) == 3
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    "harm",
    [
        lambda raw: b"",
        lambda raw: raw[: len(raw) // 2],
        lambda raw: b"not a zip at all",
        lambda raw: raw[:5000] + bytes([raw[5000] ^ 255]) + raw[5001:],
        lambda raw: raw[:-200000] + bytes([raw[-200000] ^ 1]) + raw[-199999:],
    ],
    ids=["empty", "half", "text", "flipped", "one bit"],
)
def test_a_damaged_file_is_made_anew(plain, counted, tmp_path, harm, caplog):
    expected = prepare_cached(plain, CONFIG, tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(harm(path.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert _same(prepare_cached(plain, CONFIG, tmp_path), expected)
    assert "damaged" in caplog.text
    assert len(counted) == 2
    assert _same(prepare_cached(plain, CONFIG, tmp_path), expected)
    assert len(counted) == 2


def test_the_stack_of_another_scan_under_this_name_is_not_trusted(plain, counted, tmp_path):
    prepare_cached(plain, CONFIG, tmp_path)
    (path,) = tmp_path.iterdir()
    other = replace(plain, hu=plain.hu + np.float32(1))
    prepare_cached(other, CONFIG, tmp_path)
    (other_path,) = set(tmp_path.iterdir()) - {path}
    other_path.write_bytes(path.read_bytes())
    assert prepare_cached(other, CONFIG, tmp_path).record.input_hash == other.content_hash()
    assert len(counted) == 3


def test_a_pickle_is_never_loaded(plain, counted, tmp_path):
    prepare_cached(plain, CONFIG, tmp_path)
    (path,) = tmp_path.iterdir()
    with path.open("wb") as file:
        np.savez(file, levels=np.array([{"evil": 1}], dtype=object))
    prepare_cached(plain, CONFIG, tmp_path)
    assert len(counted) == 2


def test_nothing_is_left_behind_by_a_refusal_or_a_failed_write(plain, monkeypatch, tmp_path):
    def refuse():
        raise NotABrain("Seen", "expected", "Do")

    with pytest.raises(NotABrain):
        prepare_cached(plain, CONFIG, tmp_path, make=refuse)

    def full_disk(*args, **kwargs):
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="no space"):
        prepare_cached(plain, CONFIG, tmp_path)
    assert list(tmp_path.iterdir()) == []
