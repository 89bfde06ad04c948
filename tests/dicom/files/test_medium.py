"""A DICOMDIR tells which images a bad copy of a medium lacks."""

from __future__ import annotations

import shutil
import zipfile

import pydicom
import pytest
from pydicom.fileset import FileSet

from hemocast.dicom import find_scans, read
from hemocast.dicom.files.medium import listed_images
from hemocast.errors import MissingSlices, NothingThere
from hemocast.left_out import LeftOut, LeftOutCode


@pytest.fixture
def medium(scan, write, tmp_path):
    """Return a function that makes a medium, removes images of it and gives its folder."""

    def _medium(missing, **other):
        content = FileSet()
        for path in write(scan(heights=tuple(range(-70, 71, 5)), brain=True), tmp_path / "files"):
            image = pydicom.dcmread(path)
            image.StudyID, image.StudyDate, image.StudyTime = "1", "20200101", "101010"
            content.add(image)
        folder = tmp_path / "medium"
        content.copy(folder)
        files = sorted(f for f in folder.rglob("*") if f.is_file() and f.name != "DICOMDIR")
        for path in files[len(files) - missing :]:
            path.unlink()
        return folder

    return _medium


def test_a_whole_medium_is_read_and_lists_its_images(medium):
    folder = medium(0)
    (images,) = listed_images(folder / "DICOMDIR").values()
    assert len(images) == 29
    found = find_scans(folder)
    assert len(found.scans) == 1
    assert found.left_out == ()


@pytest.mark.parametrize("packed", [False, True])
def test_six_images_that_are_not_there_are_counted(packed, medium, tmp_path):
    folder = medium(6)
    if packed:
        with zipfile.ZipFile(tmp_path / "medium.zip", "w") as opened:
            for path in folder.rglob("*"):
                opened.write(path, path.relative_to(folder))
    with pytest.raises(MissingSlices, match="lists 29 images of the series, and 6 of them are not"):
        read(tmp_path / "medium.zip" if packed else folder)
    assert find_scans(folder).left_out == (LeftOut(LeftOutCode.NOT_THERE, 6),)


def test_a_directory_alone_says_how_many_it_lists(medium):
    with pytest.raises(NothingThere, match="lists 29 image"):
        read(medium(29))


def test_what_another_series_lacks_costs_no_scan(medium, scan, write, tmp_path):
    folder = medium(29)
    write(scan(study="other", series="whole"), folder / "more")
    found = find_scans(folder)
    assert len(found.scans) == 1
    assert found.left_out == (LeftOut(LeftOutCode.NOT_THERE, 29),)


def test_a_damaged_directory_lists_nothing_and_costs_nothing(medium, tmp_path):
    folder = medium(0)
    content = (folder / "DICOMDIR").read_bytes()
    for size in (0, 200, len(content) // 2):
        (tmp_path / "cut").write_bytes(content[:size])
        assert all(isinstance(uid, str) for uid in listed_images(tmp_path / "cut"))
    shutil.rmtree(folder)
