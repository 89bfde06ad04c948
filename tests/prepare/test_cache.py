from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest

from hemocast.config import PrepareConfig
from hemocast.errors import NoSpace
from hemocast.prepare import prepare
from hemocast.prepare.cache import keep_stack, kept_stack

CONFIG = PrepareConfig()


@pytest.fixture(scope="module")
def expected(plain):
    return prepare(plain, CONFIG)


def _same(one, other):
    return (
        np.array_equal(one.frames, other.frames)
        and np.array_equal(one.brain, other.brain)
        and np.array_equal(one.affine, other.affine)
        and one.record == other.record
    )


def test_what_is_read_back_is_what_was_kept(plain, expected, tmp_path):
    folder = tmp_path / "not" / "yet"
    assert kept_stack(plain, CONFIG, folder) is None
    keep_stack(expected, folder)
    assert _same(kept_stack(plain, CONFIG, folder), expected)
    assert len(list(folder.iterdir())) == 1


def test_another_scan_or_setting_is_not_found(plain, expected, tmp_path):
    keep_stack(expected, tmp_path)
    brighter = replace(plain, hu=plain.hu + np.float32(1))
    assert kept_stack(plain, PrepareConfig(window_high=60), tmp_path) is None
    assert kept_stack(brighter, CONFIG, tmp_path) is None


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
def test_a_damaged_file_is_not_read(plain, expected, tmp_path, harm, caplog):
    keep_stack(expected, tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(harm(path.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert kept_stack(plain, CONFIG, tmp_path) is None
    assert "damaged" in caplog.text
    keep_stack(expected, tmp_path)
    assert _same(kept_stack(plain, CONFIG, tmp_path), expected)


def test_the_stack_of_another_scan_under_this_name_is_not_trusted(plain, expected, tmp_path):
    keep_stack(expected, tmp_path)
    (path,) = tmp_path.iterdir()
    other = replace(plain, hu=plain.hu + np.float32(1))
    record = replace(expected.record, input_hash=other.content_hash())
    keep_stack(replace(expected, record=record), tmp_path)
    (other_path,) = set(tmp_path.iterdir()) - {path}
    other_path.write_bytes(path.read_bytes())
    assert kept_stack(other, CONFIG, tmp_path) is None


def test_a_pickle_is_never_loaded(plain, expected, tmp_path):
    keep_stack(expected, tmp_path)
    (path,) = tmp_path.iterdir()
    with path.open("wb") as file:
        np.savez(file, levels=np.array([{"evil": 1}], dtype=object))
    assert kept_stack(plain, CONFIG, tmp_path) is None


def test_nothing_is_left_behind_by_a_failed_write(expected, monkeypatch, tmp_path):
    def full_disk(*args, **kwargs):
        raise OSError(28, "no space left")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(NoSpace):
        keep_stack(expected, tmp_path)
    assert list(tmp_path.iterdir()) == []
