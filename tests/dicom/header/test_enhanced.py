from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.sequence import Sequence

from hemocast.dicom import find_scans, read
from hemocast.dicom.header.images import read_images


def enhance(paths, target):
    """Pack single-frame files into one Enhanced CT file, each frame with its own scale."""
    first = pydicom.dcmread(paths[0])
    out = pydicom.dcmread(paths[0])
    out.SOPClassUID = out.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    shared, measures, plane = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = first.PixelSpacing, "5"
    plane.ImageOrientationPatient = first.ImageOrientationPatient
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PlaneOrientationSequence = Sequence([plane])
    frames, groups = [], []
    for i, path in enumerate(paths):
        dataset = pydicom.dcmread(path)
        group, position, scale = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = dataset.ImagePositionPatient
        scale.RescaleIntercept, scale.RescaleSlope = str(-1024 - i), "1"
        scale.RescaleType = "HU"
        group.PlanePositionSequence = Sequence([position])
        group.PixelValueTransformationSequence = Sequence([scale])
        groups.append(group)
        frames.append(dataset.pixel_array + np.uint16(i))
    for keyword in (
        "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
        "RescaleSlope", "RescaleIntercept", "RescaleType",
    ):  # fmt: skip
        del out[keyword]
    out.NumberOfFrames = len(frames)
    out.SharedFunctionalGroupsSequence = Sequence([shared])
    out.PerFrameFunctionalGroupsSequence = Sequence(groups)
    out.PixelData = np.stack(frames).tobytes()
    out.save_as(target)


def test_a_multi_frame_file_reads_like_its_single_frames(scan, write, tmp_path):
    paths = write(scan(tilt=9, order=4), tmp_path / "single")
    enhance(sorted(paths), tmp_path / "multi")
    single, multi = read(tmp_path / "single"), read(tmp_path / "multi")
    np.testing.assert_array_equal(single.hu, multi.hu)
    np.testing.assert_allclose(single.affine, multi.affine)
    assert multi.slices[0][0].split("#")[1].isdigit()
    assert len(find_scans(tmp_path / "multi").scans) == 1


def test_a_real_enhanced_ct_is_taken_apart():
    path = get_testdata_file("eCT_Supplemental.dcm", download=False)
    if path is None:
        pytest.skip("the library's larger test files are not installed")
    images = read_images(path)
    assert len(images) == images[0].pixels.n_frames
