"""One image that has come: durable and known, or refused alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread

from hemocast.errors import MalformedFile, NoCT, NoSpace
from hemocast.serve.hospital.inbox import Inbox
from hemocast.serve.hospital.root import Root
from hemocast.serve.hospital.service import Office
from hemocast.serve.hospital.store.arrivals import Arrivals
from hemocast.serve.hospital.store.events import events

Take = Callable[[list[Path]], list[str]]


@pytest.fixture
def image(small_study: Callable[..., list[Path]], tmp_path: Path) -> Path:
    return small_study(tmp_path / "s", "JONES", 1)[0]


def test_an_image_lies_under_a_name_that_tells_nothing_for_its_owner_alone(
    office: Office, take: Take, image: Path
) -> None:
    assert take([image]) == ["stored"]
    files = [path for path in (office.root.folder / "studies").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in files] == [image.read_bytes()]
    assert files[0].stat().st_mode & 0o777 == 0o600
    uid = str(dcmread(image).SOPInstanceUID)
    assert not any(word in str(files[0]) for word in ("JONES", uid, image.stem))
    assert list(office.root.incoming.iterdir()) == []


def test_the_same_image_again_changes_nothing_whatever_its_meta_header(
    office: Office, take: Take, image: Path
) -> None:
    take([image])
    before = office.jobs.all()
    dataset = dcmread(image)
    dataset.file_meta.ImplementationVersionName = "OTHER"
    dataset.save_as(image, enforce_file_format=True)
    assert take([image, image]) == ["known", "known"]
    assert office.jobs.all() == before


def test_another_image_with_its_uid_is_noted_and_the_first_stays(
    office: Office, take: Take, image: Path
) -> None:
    take([image])
    dataset = dcmread(image)
    dataset.PatientID = "SMITH"
    dataset.save_as(image)
    assert take([image]) == ["differs"]
    kept = [path for path in (office.root.folder / "studies").rglob("*") if path.is_file()]
    assert [dcmread(path).PatientID for path in kept] == ["JONES"]
    assert [event.kind for event in events(office.database)] == ["received", "differs"]


@pytest.mark.parametrize("field", ["StudyInstanceUID", "SOPInstanceUID", "SeriesInstanceUID"])
@pytest.mark.parametrize("value", ["", "../../etc", "1." * 40 + "1"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_image_without_proper_identifiers_is_refused(
    office: Office, take: Take, image: Path, field: str, value: str
) -> None:
    dataset = dcmread(image)
    setattr(dataset, field, value)
    dataset.save_as(image)
    with pytest.raises(MalformedFile) as refused:
        take([image])
    assert "JONES" not in str(refused.value)
    assert office.jobs.all() == []


def test_what_is_no_ct_or_is_not_what_was_announced_is_refused(
    office: Office, take: Take, image: Path
) -> None:
    copy = office.root.incoming / "x"
    shutil.copy(image, copy)
    with pytest.raises(MalformedFile, match="announced"):
        Inbox(office.root, Arrivals(office.database)).take(copy, "A", sop_uid="1.2.3")
    dataset = dcmread(image)
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    dataset.save_as(image)
    with pytest.raises(NoCT):
        take([image])


def test_nothing_is_taken_beyond_the_watermark(office: Office, image: Path) -> None:
    full = Root(office.root.folder, office.root.key, 10**18)
    with pytest.raises(NoSpace, match="reserve"):
        Inbox(full, Arrivals(office.database)).take(image, "A")
    assert image.exists()
