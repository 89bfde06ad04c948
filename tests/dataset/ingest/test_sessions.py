"""Sessions: decided once, and found again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from hemocast.dataset import Dataset, participant_id
from hemocast.dataset.ingest.sessions import DatasetSessions, Identity, Sessions
from hemocast.dataset.pseudonym import scan_name
from hemocast.dataset.scan_id import ScanId
from hemocast.errors import TableError

KEY = b"k" * 32
A = participant_id(KEY, "a")


def scan(uid: str, patient: str = "a", **told: object) -> Identity:
    return Identity(patient, f"study {uid}", uid, **told)  # type: ignore[arg-type]


def names(sessions: Sessions, *scans: Identity) -> list[str]:
    """Plan, and give the names in the order of the scans."""
    given = sessions.plan(scans)
    return [str(given[scan_name(KEY, one.scan_uid)]) for one in scans]


def test_sessions_count_up_for_each_participant() -> None:
    sessions = Sessions(KEY, {})
    assert names(sessions, scan("1"), scan("2"), scan("1")) == [
        f"{A}_ses-01", f"{A}_ses-02", f"{A}_ses-01",
    ]  # fmt: skip
    assert names(sessions, scan("3", "b")) == [f"{participant_id(KEY, 'b')}_ses-01"]
    assert names(sessions, scan("4")) == [f"{A}_ses-03"]
    assert sessions.get(scan("1")) == ScanId(A, "ses-01")
    assert sessions.get(scan("5")) is None


def test_the_order_of_time_decides() -> None:
    late, early = (datetime(2021, 3, day) for day in (9, 2))
    found = names(Sessions(KEY, {}), scan("1", acquired=late), scan("2", acquired=early), scan("3"))
    assert found == [f"{A}_ses-02", f"{A}_ses-01", f"{A}_ses-03"]


def test_a_wish_is_granted_where_it_can_be() -> None:
    sessions = Sessions(KEY, {})
    for uid, wish, number in (("1", 5, 5), ("2", 5, 6), ("3", 0, 7), ("4", 2, 2), ("5", 120, 120)):
        assert names(sessions, scan(uid, session=wish)) == [f"{A}_ses-{number:02d}"]


def test_two_files_called_the_same_by_chance_get_no_name() -> None:
    sessions = Sessions(KEY, {})
    assert names(sessions, scan("1", alone=True), scan("2", alone=True)) == ["None", "None"]
    assert names(sessions, scan("1", alone=True)) == [f"{A}_ses-01"]
    assert names(sessions, scan("2", alone=True), scan("1", alone=True)) == [
        "None", f"{A}_ses-01",
    ]  # fmt: skip


def test_an_identity_is_not_shown() -> None:
    assert "study 1" not in repr(scan("1"))


def test_what_was_written_down_is_found_again(tmp_path: Path) -> None:
    sessions = DatasetSessions(Dataset(tmp_path), KEY)
    names(sessions, scan("1"), scan("2"))
    sessions.save()
    again = DatasetSessions(Dataset(tmp_path), KEY)
    assert names(again, scan("3"), scan("1")) == [f"{A}_ses-03", f"{A}_ses-01"]
    assert again.complete == set()
    assert [str(one) for one in again.unfinished()] == [f"{A}_ses-0{n}" for n in (1, 2, 3)]


def test_a_hash_without_a_key_is_known_again_and_written_with_one(tmp_path: Path) -> None:
    plain = "0123456789abcdef"
    path = tmp_path / "quality" / "sessions.tsv"
    path.parent.mkdir()
    path.write_text(f"scan_uid\tparticipant_id\tsession\n{plain}\t{A}\tses-04\n")
    sessions = DatasetSessions(Dataset(tmp_path), KEY)
    assert names(sessions, scan(plain)) == [f"{A}_ses-04"]
    sessions.save()
    assert plain not in path.read_text()
    assert scan_name(KEY, plain) in path.read_text()


def test_a_table_of_other_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "quality").mkdir()
    (tmp_path / "quality" / "sessions.tsv").write_text("a\tb\n1\t2\n")
    with pytest.raises(TableError, match="other columns"):
        DatasetSessions(Dataset(tmp_path), KEY)
