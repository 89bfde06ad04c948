"""Sessions: decided once, and found again."""

from __future__ import annotations

from pathlib import Path

from hemocast.dataset import Dataset
from hemocast.dataset.ingest.sessions import Sessions
from hemocast.dataset.scan_id import ScanId


def test_sessions_count_up_for_each_participant(tmp_path: Path) -> None:
    sessions = Sessions(Dataset(tmp_path))
    given = [sessions.give(uid, "sub-a") for uid in ("1", "2", "1")]
    assert [str(scan) for scan in given] == ["sub-a_ses-01", "sub-a_ses-02", "sub-a_ses-01"]
    assert sessions.give("3", "sub-b") == ScanId("sub-b", "ses-01")
    assert sessions.scans_of("sub-a") == {"1", "2"}
    assert sessions.get("3") == ScanId("sub-b", "ses-01")
    assert sessions.get("4") is None


def test_a_wish_is_granted_where_it_can_be(tmp_path: Path) -> None:
    sessions = Sessions(Dataset(tmp_path))
    assert sessions.give("1", "sub-a", 5) == ScanId("sub-a", "ses-05")
    assert sessions.give("2", "sub-a", 5) == ScanId("sub-a", "ses-06")
    assert sessions.give("3", "sub-a", 0) == ScanId("sub-a", "ses-07")
    assert sessions.give("4", "sub-a", 2) == ScanId("sub-a", "ses-02")
    assert sessions.give("5", "sub-a", 120) == ScanId("sub-a", "ses-120")


def test_what_was_written_down_is_found_again(tmp_path: Path) -> None:
    sessions = Sessions(Dataset(tmp_path))
    sessions.give("1", "sub-a")
    sessions.give("2", "sub-a")
    sessions.save()
    again = Sessions(Dataset(tmp_path))
    assert again.give("3", "sub-a") == ScanId("sub-a", "ses-03")
    assert again.give("1", "sub-a") == ScanId("sub-a", "ses-01")
    assert again.complete == set()
