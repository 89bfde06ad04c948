from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import datetime

import numpy as np
import pydicom
import pytest

from hemocast.dicom import CTHeader, make_uid, write_ct

HEADER = CTHeader(
    patient_id="P1",
    patient_name="Doe^Jané",
    study_uid=make_uid("study"),
    series_uid=make_uid("series"),
    acquired=datetime(2021, 3, 4, 5, 6, 7),
    age=71,
    sex="F",
    image_comments="simulated",
)


def test_the_files_are_valid_ct_images_with_what_was_given(tmp_path):
    frames = np.linspace(-1200, 3500, 3 * 8 * 6).reshape(3, 8, 6)
    positions = [(1.5, 2.25, 5.0 * i) for i in range(3)]
    paths = write_ct(frames, positions, [1, 0, 0, 0, 1, 0], [0.9, 0.8], HEADER, tmp_path)
    assert [p.name for p in paths] == ["0001.dcm", "0002.dcm", "0003.dcm"]
    for i, path in enumerate(paths):
        ds = pydicom.dcmread(path)
        assert ds.SOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
        assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID
        assert ds.SOPInstanceUID.is_valid
        assert ds.StudyInstanceUID == HEADER.study_uid
        assert str(ds.PatientName) == "Doe^Jané"
        assert (ds.PatientAge, ds.AcquisitionDate, ds.AcquisitionTime) == (
            "071Y",
            "20210304",
            "050607",
        )
        assert list(ds.ImagePositionPatient) == list(positions[i])
        assert list(ds.PixelSpacing) == [0.9, 0.8]
        assert (ds.Rows, ds.Columns) == (8, 6)
        hu = ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
        np.testing.assert_array_equal(hu, np.clip(np.rint(frames[i]), -1024, 3071))
        assert ds.ImageComments == "simulated"
    assert len({pydicom.dcmread(p).SOPInstanceUID for p in paths}) == 3
    assert not list(tmp_path.glob(".*"))


def test_the_same_header_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_ct(
            np.zeros((2, 4, 4)), [(0, 0, 0), (0, 0, 1)], [1, 0, 0, 0, 1, 0], [1, 1], HEADER,
            tmp_path / name,
        )  # fmt: skip
    one, two = ([p.read_bytes() for p in sorted((tmp_path / n).iterdir())] for n in "ab")
    assert one == two


def test_shapes_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(ValueError, match="positions"):
        write_ct(np.zeros((2, 4, 4)), [(0, 0, 0)], [1, 0, 0, 0, 1, 0], [1, 1], HEADER, tmp_path)
    with pytest.raises(ValueError, match="files"):
        write_ct(
            np.zeros((1, 4, 4)), [(0, 0, 0)], [1, 0, 0, 0, 1, 0], [1, 1], HEADER,
            [tmp_path / "a", tmp_path / "b"],
        )  # fmt: skip


def test_each_slice_can_have_its_own_thickness(tmp_path):
    places = [(0, 0, 0), (0, 0, 3.75)]
    own = replace(HEADER, slice_thickness=(2.5, 5.0))
    paths = write_ct(np.zeros((2, 4, 4)), places, [1, 0, 0, 0, 1, 0], [1, 1], own, tmp_path)
    assert [pydicom.dcmread(p).SliceThickness for p in paths] == [2.5, 5.0]
    with pytest.raises(ValueError, match="thicknesses"):
        write_ct(
            np.zeros((2, 4, 4)), places, [1, 0, 0, 0, 1, 0], [1, 1],
            replace(HEADER, slice_thickness=(2.5, 5.0, 5.0)), tmp_path,
        )  # fmt: skip


@pytest.mark.parametrize("intercept", [-1024, 0])
def test_values_can_be_stored_with_a_sign_and_corners_padded(intercept, tmp_path):
    header = replace(HEADER, signed=True, intercept=intercept, padding=-2000)
    frames = np.full((1, 8, 8), -1000.0)
    frames[0, 4, 4] = 70
    path = write_ct(frames, [(0, 0, 0)], [1, 0, 0, 0, 1, 0], [1, 1], header, tmp_path)[0]
    dataset = pydicom.dcmread(path)
    stored = dataset.pixel_array
    assert (dataset.PixelRepresentation, dataset.BitsStored) == (1, 16)
    assert stored[0, 0] == dataset.PixelPaddingValue == -2000
    assert stored[4, 4] + dataset.RescaleIntercept == 70
    with pytest.raises(ValueError, match="without a sign"):
        write_ct(
            frames, [(0, 0, 0)], [1, 0, 0, 0, 1, 0], [1, 1], replace(header, signed=False), tmp_path
        )


def test_uids_are_derived_from_their_parts():
    assert make_uid("a", 1) == make_uid("a", 1) != make_uid("a", 2)
    assert pydicom.uid.UID(make_uid("a")).is_valid


def test_importing_the_room_loads_no_heavy_library():
    code = (
        "import sys, hemocast.dicom; "
        "print(sorted({'pydicom', 'nibabel', 'scipy', 'SimpleITK', 'gdcm'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr
