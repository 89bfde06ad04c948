"""Sidecars: whole, cut off, odd; each fault names the scan and never a value."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hemocast.dataset.pseudonym import scan_name
from hemocast.dataset.scan_id import ScanId
from hemocast.dataset.sidecar import MOST_BYTES, Sidecar, Signs, key_sidecar, read_sidecar
from hemocast.errors import DatasetError

NAMED = {"participant_id": "sub-1", "session": "ses-01", "scan_uid": "0123"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sub-1_ses-01_ct.json"


def test_what_is_written_is_read(path: Path) -> None:
    one = Sidecar(
        **NAMED,
        acq_time=datetime(1911, 1, 8, 14, 45, 52),
        age=71,
        sex="F",
        shape=(30, 128, 120),
        spacing_mm=(5.0, 0.9, 0.9),
        simulated=True,
        facts={"kernel": "H31s", "steps_mm": [2.5, 5.0]},
        corrected=("gantry tilt of 13.4 degrees taken out",),
        signs=Signs(brain_ml=1300.5, blood=False, blood_ml=0.0),
    )
    path.write_text(json.dumps(one.model_dump(mode="json")))
    assert read_sidecar(path) == one
    assert json.loads(path.read_text())["acq_time"] == "1911-01-08T14:45:52"
    assert one.scan == ScanId("sub-1", "ses-01")


def test_one_that_names_its_scan_alone_says_that_the_rest_is_unknown(path: Path) -> None:
    path.write_text(json.dumps(NAMED | {"added by": "a user"}))
    found = read_sidecar(path)
    assert (found.age, found.shape, found.signs.blood, found.simulated) == (None, None, None, False)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "cut off"),
        ('{"participant_id": "sub-1", ', "cut off"),
        ("\ufeff\x00", "cut off"),
        ("[" * 100_000, "cut off"),
        ("7", "everything"),
        (json.dumps(NAMED | {"session": "Jane"}), "session"),
        (json.dumps({"participant_id": "sub-1", "session": "ses-01"}), "scan_uid"),
        (json.dumps(NAMED | {"age": "Jane", "shape": [1, 2]}), "age, shape"),
        (json.dumps(NAMED | {"signs": {"blood": "Jane"}}), "signs.blood"),
        (json.dumps(NAMED | {"acq_time": "Jane"}), "acq_time"),
        (json.dumps(NAMED | {"left_out": "x" * (MOST_BYTES + 1)}), "cut off"),
    ],
)
def test_a_fault_names_the_scan_and_the_value_but_does_not_repeat_it(
    path: Path, content: str, said: str
) -> None:
    path.write_text(content)
    with pytest.raises(DatasetError, match="sub-1_ses-01") as caught:
        read_sidecar(path)
    assert said in caught.value.seen
    assert "Jane" not in str(caught.value)


def test_a_name_that_is_no_scans_is_not_repeated(tmp_path: Path) -> None:
    odd = tmp_path / "sub-Jane Doe_ses-01_ct.json"
    odd.write_text("{}")
    with pytest.raises(DatasetError) as caught:
        read_sidecar(odd)
    assert "Jane" not in str(caught.value)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=80), cut=st.integers(0, 60))
def test_any_bytes_are_read_or_refused(path: Path, content: bytes, cut: int) -> None:
    for text in (content, json.dumps(NAMED).encode()[:cut]):
        path.write_bytes(text)
        with pytest.raises(DatasetError):
            read_sidecar(path)


def test_a_hash_without_a_key_gets_one_and_nothing_else_changes(path: Path) -> None:
    content = {"mine": [1, "x"], **NAMED, "scan_uid": "0123456789abcdef", "age": 71}
    path.write_text(json.dumps(content))
    key_sidecar(path, b"k" * 32)
    keyed = content | {"scan_uid": scan_name(b"k" * 32, "0123456789abcdef")}
    assert list(json.loads(path.read_text()).items()) == list(keyed.items())
    before = path.stat().st_mtime_ns
    key_sidecar(path, b"q" * 32)
    assert path.stat().st_mtime_ns == before
