"""Sessions: decided once, and found again."""

from __future__ import annotations

from pathlib import Path

from hemocast.dataset import Dataset
from hemocast.dataset.ingest.sessions import Sessions


def test_sessions_count_up_for_each_participant(tmp_path: Path) -> None:
    sessions = Sessions(Dataset(tmp_path))
    assert [sessions.give(uid, "sub-a") for uid in ("1", "2", "1")] == [
        "ses-01",
        "ses-02",
        "ses-01",
    ]
    assert sessions.give("3", "sub-b") == "ses-01"
    assert sessions.scans_of("sub-a") == {"1", "2"}
    assert "3" in sessions
    assert "4" not in sessions


def test_a_wish_is_granted_where_it_can_be(tmp_path: Path) -> None:
    sessions = Sessions(Dataset(tmp_path))
    assert sessions.give("1", "sub-a", 5) == "ses-05"
    assert sessions.give("2", "sub-a", 5) == "ses-06"
    assert sessions.give("3", "sub-a", 0) == "ses-07"
    assert sessions.give("4", "sub-a", 2) == "ses-02"
    assert sessions.give("5", "sub-a", 120) == "ses-120"


def test_what_was_written_down_is_found_again(tmp_path: Path) -> None:
    sessions = Sessions(Dataset(tmp_path))
    sessions.give("1", "sub-a")
    sessions.give("2", "sub-a")
    sessions.save()
    again = Sessions(Dataset(tmp_path))
    assert again.give("3", "sub-a") == "ses-03"
    assert again.give("1", "sub-a") == "ses-01"
    assert again.complete == set()
