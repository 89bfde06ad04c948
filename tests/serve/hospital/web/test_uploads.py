"""Uploads: what is received goes, whatever becomes of it. What is taken: `test_rest.py`."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from hemocast.errors import NoSpace
from hemocast.serve.hospital.inbox import Inbox
from hemocast.serve.hospital.store.arrivals import Arrivals, Outcome
from hemocast.serve.hospital.web.uploads import take

from .conftest import Hospital


def test_a_folder_is_private_and_goes_whatever_happens(hospital: Hospital) -> None:
    folders = []

    def fails() -> None:
        with hospital.desk.root.receiving() as folder:
            folders.append(folder)
            (folder / "0").write_bytes(b"x")
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert not folders[0].exists()


def test_images_are_taken_and_their_studies_named(
    hospital: Hospital, small_study: Callable[..., list[Path]]
) -> None:
    desk = hospital.desk
    inbox = Inbox(desk.root, Arrivals(desk.database))
    with desk.root.receiving() as folder:
        small_study(folder, "P1", 2)
        small_study(folder, "P2", 1)
        (folder / "rubbish").write_bytes(b"x")
        taken = take(desk, inbox, folder, "rest:x")
    assert taken.outcomes == {Outcome.STORED: 3}
    assert taken.refused == {"HC107": 1}
    assert taken.studies == (1, 2)


def test_a_disk_that_fills_ends_the_whole(
    hospital: Hospital, small_study: Callable[..., list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = hospital.desk
    monkeypatch.setattr(type(desk.root), "is_full", lambda _: True)
    with desk.root.receiving() as folder:
        small_study(folder, "P1", 1)
        with pytest.raises(NoSpace):
            take(desk, Inbox(desk.root, Arrivals(desk.database)), folder, "rest:x")
