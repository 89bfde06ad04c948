"""Pseudonyms need the key, and the key stays out of the dataset."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from hemocast.dataset import load_key, participant_id
from hemocast.dataset.pseudonym import date_shift, is_unkeyed, read_key, scan_name, study_id
from hemocast.errors import UsageError

KEY = b"k" * 32


def test_a_pseudonym_is_stable_and_needs_the_key() -> None:
    assert participant_id(b"k" * 32, "12345") == participant_id(b"k" * 32, "12345 ")
    assert participant_id(b"k" * 32, "12345") != participant_id(b"K" * 32, "12345")
    assert participant_id(b"k" * 32, "12345") != participant_id(b"k" * 32, "12346")


def test_a_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "project.key"
    key = load_key(path, tmp_path / "dataset")
    assert len(key) == 32
    assert load_key(path, tmp_path / "dataset") == key
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("there", [False, True], ids=["none", "left empty by a killed run"])
def test_of_runs_that_make_a_key_at_once_all_take_the_one_that_stays(
    tmp_path: Path, there: bool
) -> None:
    path = tmp_path / "out.key"
    if there:
        path.touch()
        keys = [load_key(path, tmp_path / "out") for _ in range(2)]
    else:
        ready = Barrier(8)

        def run(_: int) -> bytes:
            ready.wait()
            return load_key(path, tmp_path / "out")

        with ThreadPoolExecutor(8) as pool:
            keys = list(pool.map(run, range(8)))
    assert {key.hex() for key in keys} == {path.read_text().strip()}


def test_a_key_inside_the_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="inside the dataset"):
        load_key(tmp_path / "dataset" / "project.key", tmp_path / "dataset")


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "project.key"
    path.write_text("hello")
    with pytest.raises(UsageError, match="no key"):
        load_key(path, tmp_path / "dataset")


def test_dates_of_a_patient_shift_by_one_number_of_whole_days_to_before_1925() -> None:
    shift = date_shift(KEY, "P1")
    assert shift == date_shift(KEY, " P1 ")
    assert shift % timedelta(days=1) == timedelta(0)
    assert shift != date_shift(KEY, "P2")
    assert shift != date_shift(b"o" * 32, "P1")
    assert (datetime(2034, 1, 1) - shift).year < 1925


def test_a_study_and_a_patient_of_one_name_differ() -> None:
    assert study_id(KEY, "1.2 ") == study_id(KEY, "1.2")
    assert study_id(KEY, "1.2")[-12:] != participant_id(KEY, "1.2")[-12:]


def test_the_pseudonym_of_a_scan_needs_the_key_and_is_told_from_a_hash_without() -> None:
    plain = "0123456789abcdef"
    assert scan_name(KEY, plain) == scan_name(KEY, plain)
    assert scan_name(KEY, plain) != scan_name(b"o" * 32, plain)
    assert is_unkeyed(plain)
    assert not is_unkeyed(scan_name(KEY, plain))
    assert plain not in scan_name(KEY, plain)


def test_a_lost_key_is_not_replaced_where_it_has_named_patients(tmp_path: Path) -> None:
    key, out = tmp_path / "out.key", tmp_path / "out"
    assert read_key(key, out) is None
    first = load_key(key, out)
    assert read_key(key, out) == first
    (out / participant_id(first, "DOE-1")).mkdir(parents=True)
    for lose in (key.unlink, key.touch):
        lose()
        with pytest.raises(UsageError, match="named by one"):
            load_key(key, out)
    assert key.read_text() == ""


def test_a_folder_where_the_key_should_be_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "out.key").mkdir()
    with pytest.raises(UsageError, match="no key"):
        load_key(tmp_path / "out.key", tmp_path / "out")
