"""What hospital and coordinator keep on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.federate.conftest import Hospitals, hospitals_of

from hemocast.errors import NotAgreed, NothingThere
from hemocast.federate import federate
from hemocast.federate.folder import (
    ANSWERED,
    COORDINATOR,
    FINDINGS,
    KEY,
    PLAN,
    RESULT,
    read_enrolment,
    read_plan,
    read_result,
    read_site,
    write_findings,
    write_result,
)


@pytest.fixture
def few() -> Hospitals:
    """Four hospitals and few rounds."""
    return hospitals_of(rounds=3)


def folder_of(place: Path, hospitals: Hospitals, name: str) -> Path:
    """Write a hospital's folder."""
    folder = place / name
    folder.mkdir()
    write_findings(folder, hospitals.sites[name].findings)
    (folder / PLAN).write_text(hospitals.signed.to_json())
    (folder / COORDINATOR).write_text(hospitals.signed.coordinator + "\n")
    (folder / KEY).write_text(hospitals.keys[name].private_bytes_raw().hex() + "\n")
    return folder


def test_a_hospital_read_from_its_folder_answers_as_before(tmp_path: Path, few: Hospitals) -> None:
    folder = folder_of(tmp_path, few, "city")
    (folder / ANSWERED).write_text("one\ntwo\n")
    site, before = read_site(folder, "city"), few.sites["city"]
    assert site.counts() == before.counts()
    np.testing.assert_array_equal(site.findings.values, before.findings.values)
    assert list(site.findings.patient) == list(before.findings.patient)
    assert site.answered == ["one", "two"]
    with pytest.raises(NotAgreed, match="does not name"):
        read_site(folder, "rural")


def test_a_result_comes_back_as_it_was(tmp_path: Path, few: Hospitals) -> None:
    found = federate(few.signed, few.sites)
    write_result(tmp_path, found)
    again = read_result(tmp_path / RESULT, few.signed)
    np.testing.assert_array_equal(again.head, found.head)
    np.testing.assert_array_equal(again.weight, found.weight)
    assert again.bias == found.bias
    assert again.calibration == found.calibration
    assert (again.receipts, again.took_part) == (found.receipts, found.took_part)


def test_a_result_of_another_plan_is_refused(tmp_path: Path, few: Hospitals) -> None:
    write_result(tmp_path, federate(few.signed, few.sites))
    other = hospitals_of(rounds=4).signed
    with pytest.raises(NotAgreed, match="receipt"):
        read_result(tmp_path / RESULT, other)


def test_receipts_must_be_as_many_as_the_plan_asks_for(tmp_path: Path) -> None:
    three = hospitals_of(rounds=2, least_sites=3)
    found = federate(three.signed, three.sites)
    write_result(tmp_path, replace(found, receipts=found.receipts[:2]))
    with pytest.raises(NotAgreed, match="2 hospital"):
        read_result(tmp_path / RESULT, three.signed)
    write_result(tmp_path, replace(found, receipts=(found.receipts[0],) * 3))
    with pytest.raises(NotAgreed, match="1 hospital"):
        read_result(tmp_path / RESULT, three.signed)
    write_result(tmp_path, replace(found, receipts=(*found.receipts, found.receipts[0])))
    again = read_result(tmp_path / RESULT, three.signed)
    assert again.receipts == found.receipts  # nobody's patients count twice


@pytest.mark.parametrize("content", ["", "{}", "[1]", "\x00", '{"site": 3}', "[" * 10_000])
def test_what_is_no_such_file_is_refused_and_a_missing_one_named(
    content: str, tmp_path: Path, few: Hospitals
) -> None:
    path = tmp_path / "file.json"
    path.write_text(content)
    with pytest.raises(NotAgreed):
        read_enrolment(path)
    with pytest.raises(NotAgreed):
        read_result(path, few.signed)
    (tmp_path / PLAN).write_text(content)
    (tmp_path / COORDINATOR).write_text(few.signed.coordinator)
    with pytest.raises(NotAgreed):
        read_plan(tmp_path)
    with pytest.raises(NothingThere, match=r"away\.json"):
        read_enrolment(tmp_path / "away.json")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive"])
def test_findings_that_cannot_be_read_are_refused(
    content: bytes, tmp_path: Path, few: Hospitals
) -> None:
    folder = folder_of(tmp_path, few, "rural")
    (folder / FINDINGS).write_bytes(content)
    with pytest.raises(NotAgreed, match="cannot be read"):
        read_site(folder, "rural")


def test_no_pickle_is_read(tmp_path: Path, few: Hospitals) -> None:
    folder = folder_of(tmp_path, few, "rural")
    np.savez(folder / FINDINGS, values=np.array([{}], object), label=[1], patient=["a"])
    with pytest.raises(NotAgreed, match="cannot be read"):
        read_site(folder, "rural")
