from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import datetime

import pytest

from hemocast.dicom import find_scans
from hemocast.dicom.header.images import read_images
from hemocast.dicom.series.find import split_stacks
from hemocast.errors import NoCT, NotDicom, NothingThere, TruncatedFile, Unreadable
from hemocast.left_out import LeftOut, LeftOutCode


def test_a_mixed_folder_without_extensions(scan, write, edit, tmp_path):
    write(
        scan(study="one", order=1).with_header(acquired=datetime(2020, 1, 2, 3, 4, 5)),
        tmp_path / "deep" / "er",
    )
    write(scan(study="two").with_header(patient_id="PID-78"), tmp_path / "b")
    for path in write(scan(study="three").with_header(patient_id="PID-79"), tmp_path / "c"):
        edit(path, Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4")
    (tmp_path / "notes").write_text("hello")
    os.mkfifo(tmp_path / "pipe")
    found = find_scans(tmp_path)
    assert [s.series.first.patient_key for s in found.scans] == ["PID-77", "PID-78"]
    assert found.scans[0].series.acquired == datetime(2020, 1, 2, 3, 4, 5)
    assert found.scans[1].series.acquired is None
    assert len(found.scans[0].series.images) == 37
    (refusal,) = found.refused
    assert refusal.patient_key == "PID-79"
    assert isinstance(refusal.error, NoCT)
    assert found.left_out == (LeftOut(LeftOutCode.NOT_DICOM, 1),)
    assert found.patients == 3


def test_the_same_files_in_any_place_are_found_the_same(scan, write, tmp_path):
    paths = write(scan(), tmp_path / "a")
    (tmp_path / "b").mkdir()
    for i, path in enumerate(reversed(paths)):
        shutil.copy(path, tmp_path / "b" / f"{i}.IMA")
    one, two = find_scans(tmp_path / "a"), find_scans(tmp_path / "b")
    uids = [[i.sop_uid for i in f.scans[0].series.images] for f in (one, two)]
    assert uids[0] == uids[1]


def test_nothing_and_no_dicom(tmp_path):
    with pytest.raises(NothingThere):
        find_scans(tmp_path)
    with pytest.raises(NothingThere):
        find_scans(tmp_path / "none")
    (tmp_path / "a").write_text("text")
    with pytest.raises(NotDicom):
        find_scans(tmp_path)


def test_patients_without_an_id_are_told_apart_by_name(scan, write, tmp_path):
    write(scan().with_header(patient_id="", patient_name="A^A"), tmp_path / "a")
    write(scan().with_header(patient_id="", patient_name="B^B"), tmp_path / "b")
    assert find_scans(tmp_path).patients == 2


def test_a_header_cut_off_refuses_the_scan_beside_it_and_no_other(scan, write, tmp_path):
    paths = write(scan(), tmp_path / "a")
    write(scan(study="two").with_header(patient_id="PID-78"), tmp_path / "b")
    paths[-1].write_bytes(paths[-1].read_bytes()[:600])
    found = find_scans(tmp_path)
    assert [s.series.first.patient_key for s in found.scans] == ["PID-78"]
    assert isinstance(found.refused[0].error, TruncatedFile)
    assert found.left_out == (LeftOut(LeftOutCode.DAMAGED_HEADER, 1),)


def test_acquisition_numbers_split_only_what_repeats(scan, write, edit, tmp_path):
    paths = write(scan(heights=tuple(range(0, 60, 5))), tmp_path / "a")
    images = [
        replace(image, acquisition_number=i // 2)
        for i, path in enumerate(paths)
        for image in read_images(path)
    ]
    assert len(split_stacks(images)) == 1  # as on a step-and-shoot scanner
    first = [replace(image, acquisition_number=1) for image in images]
    second = [
        replace(image, acquisition_number=2, sop_uid=image.sop_uid + ".2") for image in images
    ]
    stacks = split_stacks(first + second)
    assert [len(s.images) for s in stacks] == [12, 12]
    assert len(split_stacks([*images, images[0]])) == 1  # one copy is no second stack


def test_a_series_is_split_where_grid_kernel_or_orientation_changes(scan, write, tmp_path):
    paths = write(scan(heights=tuple(range(0, 60, 5))), tmp_path)
    images = [image for path in paths for image in read_images(path)]
    for change in (
        {"kernel": "BONE"},
        {"image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")},
        {"orientation": (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)},
        {"spacing": (2.0, 2.0)},
        {"contrast": "ISOVUE"},
    ):
        mixed = [replace(image, **change) for image in images[:3]] + images[3:]
        assert [len(s.images) for s in split_stacks(mixed)] == [3, 9]
    fourth = replace(images[0], image_type=("ORIGINAL", "PRIMARY", "AXIAL", "ADD"))
    assert len(split_stacks([fourth, *images[1:]])) == 1


def test_a_file_that_cannot_be_opened_refuses_every_study_beside_it(scan, write, tmp_path):
    paths = write(scan(), tmp_path / "a")
    write(scan(study="two").with_header(patient_id="PID-78"), tmp_path / "b")
    paths[20].unlink()
    paths[20].symlink_to(tmp_path / "gone")
    found = find_scans(tmp_path)
    assert [s.series.first.patient_key for s in found.scans] == ["PID-78"]
    assert isinstance(found.refused[0].error, Unreadable)
    assert "PID" not in str(found.refused[0].error)
    assert list(found.unread) == [paths[20]]
    assert found.left_out == ()


def test_a_file_that_opens_and_cannot_be_read_is_not_called_other_than_dicom(scan, write, tmp_path):
    paths = write(scan(), tmp_path / "a")
    paths[-1].unlink()
    paths[-1].symlink_to("/proc/self/mem")  # a regular file whose first byte gives EIO
    found = find_scans(tmp_path)
    assert found.scans == ()
    assert "Input/output error" in str(found.refused[0].error)
    for path in paths[:-1]:
        path.unlink()
    with pytest.raises(Unreadable):
        find_scans(tmp_path)


@pytest.mark.parametrize(
    ("lost", "refused"),
    [
        ("x/1/s2/lost", ["PID-77"]),  # beside another series of the patient
        ("x/2/lost", ["PID-78"]),
        ("x/lost", []),  # two patients lie there: nobody can say whose it is
        ("z/lost", []),
        ("lost", []),
    ],
)
def test_it_costs_whom_it_may_belong_to(lost, refused, scan, write, tmp_path):
    write(scan(), tmp_path / "x" / "1" / "s1")
    write(scan(study="two").with_header(patient_id="PID-78"), tmp_path / "x" / "2")
    path = tmp_path / lost
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(tmp_path / "gone")
    found = find_scans(tmp_path)
    assert [refusal.patient_key for refusal in found.refused] == refused
    assert len(found.scans) + len(refused) == 2
    assert list(found.unread) == [path]
    assert found.claimed == ({path} if refused else set())


def test_a_study_in_several_folders_lacks_what_lies_among_them(scan, write, tmp_path):
    for path in write(scan(), tmp_path / "a"):
        part = tmp_path / ("b" if path.name < "IM020" else "c")
        part.mkdir(exist_ok=True)
        path.rename(part / path.name)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "lost").symlink_to(tmp_path / "gone")
    assert isinstance(find_scans(tmp_path).refused[0].error, Unreadable)
