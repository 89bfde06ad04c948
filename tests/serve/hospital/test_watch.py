"""The watched folder: what is whole and good is taken; nothing else is lost, followed or told."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pydicom import dcmread

from hemocast.errors import NoSpace, NothingThere, NotWritable
from hemocast.serve.hospital.inbox import Inbox
from hemocast.serve.hospital.root import Root
from hemocast.serve.hospital.service import Office
from hemocast.serve.hospital.store.arrivals import Arrivals
from hemocast.serve.hospital.watch import Watch

Study = Callable[..., list[Path]]


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(office: Office, drop: Path, clock: Clock) -> Watch:
    inbox = Inbox(office.root, Arrivals(office.database))
    return Watch(drop, 5, office.root, inbox, clock=clock)


def look(watch: Watch, clock: Clock) -> None:
    """Look twice, with the time of a whole file between."""
    watch.look()
    clock.seconds += 5
    watch.look()


def aside(drop: Path) -> list[str]:
    """Reasons of what was moved aside."""
    return sorted(path.name.split("-")[0] for path in (drop / "refused").glob("*"))


def test_a_file_is_taken_once_it_does_not_grow_any_more(
    watch: Watch, office: Office, drop: Path, clock: Clock, small_study: Study, tmp_path: Path
) -> None:
    image = small_study(tmp_path / "s", "JONES", 1)[0]
    content = image.read_bytes()
    place = drop / "a" / "b" / "JONES.dcm"
    place.parent.mkdir(parents=True)
    hidden = drop / ".JONES.dcm.part"
    hidden.write_bytes(content)
    for end in (100, 500, len(content)):
        place.write_bytes(content[:end])
        watch.look()
        clock.seconds += 4
        watch.look()
        assert place.exists()
    clock.seconds += 1
    watch.look()
    assert not place.exists()
    assert hidden.exists()
    job = office.jobs.get(1)
    assert (job.images, office.jobs.senders(1)) == (1, ["watch"])
    assert [path.read_bytes() for path in office.root.study(job.name).iterdir()] == [content]
    # The same again, by a later process: it goes, and changes nothing.
    shutil.copy(image, place)
    later = Watch(drop, 0, office.root, Inbox(office.root, Arrivals(office.database)), clock=clock)
    later.look()
    assert not place.exists()
    assert office.jobs.get(1) == job


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_is_hostile_is_moved_aside_as_it_is_and_no_link_is_followed(
    watch: Watch,
    office: Office,
    drop: Path,
    clock: Clock,
    small_study: Study,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    good, other = small_study(tmp_path / "s", "JONES", 2)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(good, elsewhere / "secret.dcm")
    (drop / "link.dcm").symlink_to(elsewhere / "secret.dcm")
    (drop / "folder").symlink_to(elsewhere)
    (drop / "dangling").symlink_to("/nonsuch")
    os.mkfifo(drop / "pipe")
    (drop / "JONES^rubbish.dcm").write_bytes(b"x" * 200)
    shutil.copy(good, drop / "good.dcm")
    changed = dcmread(other)
    changed.SOPInstanceUID = dcmread(good).SOPInstanceUID
    changed.save_as(drop / "x.dcm")
    with caplog.at_level(logging.DEBUG):
        look(watch, clock)
    assert aside(drop) == ["HC107"] * 5 + ["differs"]
    assert [path.name for path in drop.iterdir()] == ["refused"]
    assert [path.name for path in elsewhere.iterdir()] == ["secret.dcm"]
    assert office.jobs.get(1).images == 1
    assert not any(word in caplog.text for word in ("JONES", "rubbish", "good.dcm"))
    look(watch, clock)  # what lies aside stays there
    assert len(aside(drop)) == 6


def test_nothing_is_moved_through_a_link_that_stands_for_the_refused(
    watch: Watch, drop: Path, clock: Clock, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (drop / "x").write_bytes(b"x")
    (drop / "refused").symlink_to(elsewhere)
    with pytest.raises(NotWritable):
        look(watch, clock)
    assert (drop / "x").exists()
    assert list(elsewhere.iterdir()) == []


def test_while_nothing_can_be_kept_all_stays_where_it_is(
    office: Office, drop: Path, clock: Clock, small_study: Study
) -> None:
    small_study(drop, "P1", 2)
    full = Root(office.root.folder, office.root.key, 10**18)
    watch = Watch(drop, 5, full, Inbox(full, Arrivals(office.database)), clock=clock)
    with pytest.raises(NoSpace):
        look(watch, clock)
    assert len(list(drop.iterdir())) == 2


def test_a_folder_that_is_away_is_told(watch: Watch, drop: Path) -> None:
    drop.rmdir()
    with pytest.raises(NothingThere, match=r"watch\.folder"):
        watch.look()


def test_the_service_watches_where_the_settings_say_so(
    serve: Callable[..., AbstractContextManager[object]], drop: Path, small_study: Study
) -> None:
    small_study(drop, "P1", 3)
    with serve(watch={"folder": str(drop), "stable_s": 0}) as service:
        assert service.wait_done(1)[0].images == 3
    assert list(drop.iterdir()) == []
