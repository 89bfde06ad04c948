"""A known head written in every way comes back the same, in the same place."""

from __future__ import annotations

import itertools
import shutil

import gdcm
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hemocast.dicom import find_scans, read, read_series
from hemocast.errors import (
    BadGeometry,
    DuplicateSlices,
    MalformedFile,
    MissingSlices,
    MixedPatients,
    NoCT,
    NotDicom,
    NothingThere,
    NotHounsfield,
    SeveralScans,
    TooFewSlices,
    TooLarge,
    TruncatedFile,
    Unreadable,
    UnsupportedSyntax,
)
from hemocast.left_out import LeftOut, LeftOutCode

UNITS = [np.eye(3)[i] * sign for i in range(3) for sign in (1, -1)]
ORIENTATIONS = [
    (tuple(row), tuple(column))
    for row, column in itertools.product(UNITS, UNITS)
    if row @ column == 0
]


def points_lps(volume):
    """Place of every voxel, LPS mm, shape (z, y, x, 3)."""
    z, y, x = np.indices(volume.hu.shape)
    voxels = np.stack([x, y, z, np.ones_like(x)], axis=-1)
    return (voxels @ volume.affine.T)[..., :3] * [-1, -1, 1]


def agrees(volume, acquisition, head, landmark, tolerance):
    """Compare with the head itself, voxel by voxel, and find its spot."""
    places = points_lps(volume)
    assert np.abs(volume.hu - head(places))[acquisition.covers(places)].max() < tolerance
    near = ((places - landmark) ** 2).sum(-1) < 25**2
    weight = np.where(near, volume.hu - head(places, spot=False), 0)
    found = (places * weight[..., None]).sum((0, 1, 2)) / weight.sum()
    assert np.linalg.norm(found - landmark) < 0.3
    # LPS array order: x to the left, y to the back, z to the head.
    assert (np.diag(volume.affine)[:3] * [-1, -1, 1] > 0).all()
    axes = volume.affine[:3, :3]
    gram = axes.T @ axes
    assert np.abs(gram - np.diag(np.diag(gram))).max() < 1e-6


@pytest.mark.parametrize(("row", "column"), ORIENTATIONS)
def test_every_orientation_comes_back_the_same(
    row, column, scan, write, series_of, head, landmark, tmp_path
):
    acquisition = scan(row=row, column=column, order=3)
    write(acquisition, tmp_path)
    volume = read_series(series_of(tmp_path))
    agrees(volume, acquisition, head, landmark, 1.0)
    assert volume.source.corrected == ()


def thickness_of(heights):
    """Slices that leave nothing between them."""
    steps = np.diff(heights)
    return np.maximum(np.r_[steps[0], steps], np.r_[steps, steps[-1]])


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # each example is a scan: shrinking takes minutes
)
@given(
    orientation=st.sampled_from(ORIENTATIONS),
    tilt=st.floats(-28, 28),
    step=st.floats(2.5, 6),
    seed=st.integers(0, 99),
    thick_from=st.floats(0.3, 0.8),
)
def test_any_tilt_order_and_uneven_steps_come_back_within_interpolation(
    orientation, tilt, step, seed, thick_from, scan, write, series_of, head, landmark,
    tmp_path_factory,
):  # fmt: skip
    heights, height = [], -95.0
    while height < 95:
        heights.append(height)
        height += step if height < -95 + 190 * thick_from else min(1.8 * step, 7.0)
    folder = tmp_path_factory.mktemp("any")
    row, column = orientation
    acquisition = scan(
        row=row, column=column, tilt=tilt, heights=tuple(heights), order=seed, size=88
    ).with_header(slice_thickness=thickness_of(heights))
    write(acquisition, folder)
    volume = read_series(series_of(folder))
    shutil.rmtree(folder)
    # Linear interpolation errs by h^2/8 times the second derivative, here at most 4 HU/mm^2.
    coarsest = np.diff(heights).max() * np.cos(np.radians(tilt))
    agrees(volume, acquisition, head, landmark, 4.0 * coarsest**2 / 8 + 6.0)


@pytest.mark.parametrize("tilt", [-20.0, 20.0])
def test_a_tilt_of_either_sign_is_taken_out_and_nothing_is_lost(
    tilt, scan, write, series_of, head, landmark, tmp_path
):
    acquisition = scan(tilt=tilt)
    write(acquisition, tmp_path)
    volume = read_series(series_of(tmp_path))
    agrees(volume, acquisition, head, landmark, 6.0)
    assert volume.source.corrected == ("gantry tilt of 20.0 degrees taken out",)
    assert volume.source.facts["tilt_degrees"] == pytest.approx(20.0, abs=0.01)
    # Each slice's own pixels are all on the grown grid: the corners of the first and last too.
    row, column, _ = acquisition.axes
    far = (acquisition.size - 1) * acquisition.pixel
    _, positions = acquisition.slices()
    inverse = np.linalg.inv(volume.affine)
    for corner in (positions[0], positions[-1], positions[-1] + far * (row + column)):
        x, y, z, _ = inverse @ [*(corner * [-1, -1, 1]), 1]
        assert -0.01 <= x <= volume.hu.shape[2] - 0.99
        assert -0.01 <= y <= volume.hu.shape[1] - 0.99
        assert -0.01 <= z <= volume.hu.shape[0] - 0.99


@pytest.mark.parametrize(
    "syntax",
    [
        "1.2.840.10008.1.2",  # implicit little endian
        "1.2.840.10008.1.2.1",  # explicit little endian
        "1.2.840.10008.1.2.2",  # explicit big endian
        "1.2.840.10008.1.2.1.99",  # deflated
        "1.2.840.10008.1.2.5",  # RLE
        "1.2.840.10008.1.2.4.80",  # JPEG-LS
        "1.2.840.10008.1.2.4.90",  # JPEG 2000
    ],
)
def test_every_transfer_syntax_gives_the_same_values(syntax, scan, write, tmp_path):
    write(scan(), tmp_path / "plain")
    write(scan(syntax=syntax), tmp_path / "encoded")
    plain, encoded = read(tmp_path / "plain"), read(tmp_path / "encoded")
    np.testing.assert_array_equal(plain.hu, encoded.hu)
    assert plain.content_hash() == encoded.content_hash()
    assert encoded.source.facts["transfer_syntax"] == syntax


def test_jpeg_lossless_gives_the_same_values(scan, write, tmp_path):
    write(scan(), tmp_path / "plain")
    (tmp_path / "encoded").mkdir()
    for path in (tmp_path / "plain").iterdir():
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(tmp_path / "encoded" / path.name))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
    encoded = read(tmp_path / "encoded")
    assert encoded.source.facts["transfer_syntax"] == "1.2.840.10008.1.2.4.70"
    np.testing.assert_array_equal(encoded.hu, read(tmp_path / "plain").hu)


def test_slices_are_traced_to_their_files(scan, write, tmp_path):
    heights = (*np.arange(-90.0, 0.0, 4.0), *np.arange(5.0, 90.0, 7.0))
    thick = thickness_of(heights)
    paths = write(scan(heights=heights, order=5).with_header(slice_thickness=thick), tmp_path)
    uids = [pydicom.dcmread(p).SOPInstanceUID for p in paths]
    volume = read(tmp_path)
    assert volume.spacing[0] == pytest.approx(4.0)
    assert volume.slices[0] == (uids[0],)
    for z, made_of in enumerate(volume.slices):
        height = (volume.affine @ [0, 0, z, 1])[2]
        places = [heights[uids.index(uid)] for uid in made_of]
        assert min(abs(height - place) for place in places) <= 4.0
        assert len(made_of) == 1 or min(places) < height < max(places)


def test_copies_are_dropped_and_recorded_but_two_images_at_one_place_are_refused(
    scan, write, edit, tmp_path
):
    paths = write(scan(), tmp_path)
    clean = read(tmp_path)
    copy = tmp_path / "copy"
    shutil.copy(paths[7], copy)
    edit(copy, SOPInstanceUID="2.25.1", AcquisitionNumber=9)
    volume = read(tmp_path)
    np.testing.assert_array_equal(volume.hu, clean.hu)
    assert volume.source.corrected == ("copies of an image at the same position dropped",)
    dataset = pydicom.dcmread(copy)
    other = dataset.pixel_array.copy()
    other[30, 30] += 1
    dataset.PixelData = other.tobytes()
    dataset.save_as(copy)
    with pytest.raises(DuplicateSlices):
        read(tmp_path)


def test_a_missing_slice_is_a_gap_wherever_it_lies(scan, write, tmp_path):
    paths = write(scan(), tmp_path)
    for index in (1, 17, len(paths) - 2):
        kept = paths[index].read_bytes()
        paths[index].unlink()
        with pytest.raises(MissingSlices) as error:
            read(tmp_path)
        assert error.value.code == "HC203"
        assert "10.0 mm" in str(error.value)
        paths[index].write_bytes(kept)


def test_rescale_may_change_from_slice_to_slice(scan, write, tmp_path):
    paths = write(scan(), tmp_path)
    before = read(tmp_path)
    for i, path in enumerate(paths[::3]):
        dataset = pydicom.dcmread(path)
        values = dataset.pixel_array.astype(np.int32)
        slope = 0.5 if i % 2 else 2.0
        dataset.RescaleSlope, dataset.RescaleIntercept = str(slope), "-2000"
        stored = np.rint((values - 1024 + 2000) / slope).astype(np.uint16)
        dataset.BitsStored, dataset.HighBit = 16, 15
        dataset.PixelData = stored.tobytes()
        dataset.save_as(path)
    assert np.abs(read(tmp_path).hu - before.hu).max() <= 1.0


def test_padding_of_any_sign_is_air(scan, write, tmp_path):
    paths = write(scan(), tmp_path)
    before = read(tmp_path)
    for path in paths:
        dataset = pydicom.dcmread(path)
        values = dataset.pixel_array.astype(np.int32) - 1024
        values[:12, :12] = -2000
        dataset.RescaleIntercept = "0"
        dataset.PixelRepresentation, dataset.BitsStored, dataset.HighBit = 1, 16, 15
        dataset.PixelData = values.astype("<i2").tobytes()
        # -2000 under the wrong VR, as several vendors write it.
        dataset.add_new("PixelPaddingValue", "US", 63536)
        dataset.save_as(path)
    after = read(tmp_path)
    assert after.hu.min() == -1024
    assert (after.hu[:, :12, :12] == -1024).all()
    np.testing.assert_array_equal(after.hu[:, 12:], before.hu[:, 12:])
    assert after.source.doubts == ()


def test_a_padding_value_above_air_is_air_too_and_one_of_tissue_is_not_believed(
    scan, write, tmp_path
):
    paths = write(scan(), tmp_path)
    before = read(tmp_path)
    for path in paths:
        dataset = pydicom.dcmread(path)
        values = dataset.pixel_array.copy()
        values[:9, :9] = 500
        dataset.PixelData = values.tobytes()
        dataset.add_new("PixelPaddingValue", "US", 500)
        dataset.save_as(path)
    padded = read(tmp_path).hu
    assert (padded[:, :9, :9] == -1024).all()
    others = before.hu[:, 9:] != 500 - 1024
    np.testing.assert_array_equal(padded[:, 9:][others], before.hu[:, 9:][others])
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.add_new("PixelPaddingValue", "US", 1064)  # 40 HU: brain
        dataset.save_as(path)
    after = read(tmp_path)
    assert after.source.doubts == ("the padding value also occurs in tissue and was not used",)
    assert (np.abs(after.hu - 40) < 5).any()


@pytest.mark.parametrize("way", ["unsigned lie", "signed lie", "bare sign bit"])
def test_a_sign_against_the_header_is_seen(way, scan, write, tmp_path):
    paths = write(scan(), tmp_path)
    before = read(tmp_path)
    for path in paths:
        dataset = pydicom.dcmread(path)
        hu = dataset.pixel_array.astype(np.int32) - 1024
        dataset.BitsStored, dataset.HighBit = 16, 15
        if way == "unsigned lie":  # two's complement said to have no sign
            dataset.RescaleIntercept, stored = "0", hu.astype("<i2")
        elif way == "signed lie":  # large unsigned values said to have one
            dataset.RescaleIntercept, stored = "-33792", (hu + 33792).astype("<u2")
            dataset.PixelRepresentation = 1
        else:  # a 12-bit word whose sign was not carried up
            dataset.RescaleIntercept, dataset.RescaleSlope = "0", "4"
            stored = (np.rint(hu / 4).astype(np.int32) & 0xFFF).astype("<u2")
            dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, 1
        dataset.PixelData = stored.tobytes()
        dataset.save_as(path)
    volume = read(tmp_path)
    assert np.abs(volume.hu - before.hu).max() <= 2.0
    assert any("sign" in line for line in volume.source.corrected)


def test_the_source_says_what_was_read_and_nothing_of_the_patient(scan, write, tmp_path):
    write(
        scan(tilt=12).with_header(
            manufacturer="GE of Planted", model="CT 9", kernel="H30s", kvp=120
        ),
        tmp_path,
    )
    (tmp_path / "notes.txt").write_text("Planted^Name")
    source = read(tmp_path).source
    assert source.kind == "dicom"
    assert source.n_files == 37
    assert len(source.scan_uid) == 16
    assert source.facts["manufacturer"] == "GE OF"
    assert source.facts["kernel"] == "H30S"
    assert source.left_out == (LeftOut(LeftOutCode.NOT_DICOM, 1),)
    said = repr(source)
    assert "Planted" not in said
    assert "PID-77" not in said
    assert str(tmp_path) not in said
    assert pydicom.dcmread(next(tmp_path.glob("IM*"))).SeriesInstanceUID not in said


# What users bring that cannot be read: each its own code, and nothing left lying about.


def test_nothing_there(tmp_path, no_litter):
    with pytest.raises(NothingThere):
        read(tmp_path)
    with pytest.raises(NothingThere):
        read(tmp_path / "not there")


def test_a_text_file_named_dcm_is_left_out_among_others_and_refused_alone(
    scan, write, tmp_path, no_litter
):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "text.dcm").write_text("no image " * 400)
    with pytest.raises(NotDicom):
        read(tmp_path / "a")
    with pytest.raises(NotDicom):
        read(tmp_path / "a" / "text.dcm")
    write(scan(), tmp_path / "a")
    assert read(tmp_path / "a").hu.shape == (37, 72, 72)


def test_mr_alone(scan, write, edit, tmp_path, no_litter):
    for path in write(scan(), tmp_path):
        edit(path, Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4")
    with pytest.raises(NoCT) as error:
        read(tmp_path)
    assert "not CT: MR" in str(error.value)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.90"])
@pytest.mark.parametrize("where", ["pixels", "header", "end"])
def test_a_truncated_slice_is_never_silently_left_out(
    syntax, where, scan, write, tmp_path, no_litter
):
    paths = write(scan(syntax=syntax), tmp_path)
    for victim in (paths[0], paths[20]):
        whole = victim.read_bytes()
        keep = {"pixels": len(whole) * 3 // 4, "header": 420, "end": len(whole) - 9}[where]
        victim.write_bytes(whole[:keep])
        with pytest.raises(TruncatedFile):
            read(tmp_path)
        victim.write_bytes(whole)


def test_two_patients_in_one_folder(scan, write, tmp_path, no_litter):
    write(scan(), tmp_path / "a")
    write(scan(study="other").with_header(patient_id="PID-78"), tmp_path / "b")
    with pytest.raises(MixedPatients):
        read(tmp_path)
    assert len(find_scans(tmp_path).scans) == 2


def test_two_patients_under_the_same_uids(scan, write, tmp_path, no_litter):
    write(scan(), tmp_path / "a")
    write(scan().with_header(patient_id="PID-78"), tmp_path / "b")
    with pytest.raises(MixedPatients):
        read(tmp_path)


def test_two_studies_of_one_patient(scan, write, tmp_path, no_litter):
    write(scan(), tmp_path / "a")
    write(scan(study="other"), tmp_path / "b")
    with pytest.raises(SeveralScans):
        read(tmp_path)


def test_a_study_without_ct_beside_one_with(scan, write, edit, tmp_path):
    write(scan(), tmp_path / "a")
    for path in write(scan(study="other"), tmp_path / "b"):
        edit(path, Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4")
    assert read(tmp_path).source.left_out == (LeftOut(LeftOutCode.NOT_CT, 37, 1, "MR"),)


def test_too_few_slices(scan, write, tmp_path):
    write(scan(heights=(0.0, 5.0, 10.0, 15.0)), tmp_path)
    with pytest.raises(TooFewSlices):
        read(tmp_path)


def test_values_that_are_not_hu(scan, write, edit, tmp_path):
    paths = write(scan(), tmp_path)
    for path in paths:
        edit(path, RescaleIntercept="0")  # 0 .. 4095, as an MR image has
    with pytest.raises(NotHounsfield):
        read(tmp_path)
    for path in paths:
        edit(path, RescaleIntercept=None, RescaleSlope=None)
    with pytest.raises(NotHounsfield):
        read(tmp_path)


def test_twelve_bit_jpeg_extended_is_refused_with_its_name(scan, write, edit, tmp_path):
    for path in write(scan(syntax="1.2.840.10008.1.2.5"), tmp_path):
        data = path.read_bytes()
        new = b"1.2.840.10008.1.2.4.51"
        old = b"1.2.840.10008.1.2.5\x00"
        # One UID longer: two bytes more in its length and in the group's.
        at = data.index(old)
        length = len(new).to_bytes(2, "little")
        data = data[: at - 2] + length + new + data[at + len(old) :]
        group = int.from_bytes(data[140:144], "little") + 2
        path.write_bytes(data[:140] + group.to_bytes(4, "little") + data[144:])
    with pytest.raises(UnsupportedSyntax) as error:
        read(tmp_path)
    assert "JPEG Extended" in str(error.value)


def test_a_damaged_compressed_slice(scan, write, tmp_path):
    paths = write(scan(syntax="1.2.840.10008.1.2.4.90"), tmp_path)
    data = bytearray(paths[5].read_bytes())
    at = data.index(b"\xff\x4f\xff\x51")
    data[at : at + 60] = bytes(60)
    paths[5].write_bytes(bytes(data))
    with pytest.raises(MalformedFile):
        read(tmp_path)


def test_hostile_sizes(scan, write, edit, tmp_path):
    paths = write(scan(), tmp_path)
    for path in paths:
        edit(path, Rows=65535, Columns=65535)
    with pytest.raises(TooLarge):
        read(tmp_path)
    for path in paths:
        edit(path, Rows=1000, Columns=1000)
    with pytest.raises(MalformedFile):
        read(tmp_path)
    for path in paths:
        edit(path, Rows=0)
    with pytest.raises(MalformedFile):
        read(tmp_path)


def test_orientations_that_cannot_be(scan, write, edit, tmp_path):
    paths = write(scan(), tmp_path)
    for path in paths:
        edit(path, ImageOrientationPatient=["1", "0", "0", "0.5", "0.8", "0"])
    with pytest.raises(BadGeometry):
        read(tmp_path)
    for path in paths:
        edit(path, ImageOrientationPatient=["1", "0", "0", "0", "1", "0"], PixelSpacing=["0", "1"])
    with pytest.raises(BadGeometry):
        read(tmp_path)


def test_a_zip_of_a_scan_reads_like_its_folder(scan, write, tmp_path, no_litter):
    write(scan(), tmp_path / "scan")
    archive = shutil.make_archive(str(tmp_path / "scan"), "zip", tmp_path / "scan")
    assert read(archive).content_hash() == read(tmp_path / "scan").content_hash()


def test_one_scan_is_refused_when_anything_beside_it_cannot_be_read(scan, write, tmp_path):
    write(scan(), tmp_path / "a" / "dicom")
    (tmp_path / "a" / "lost").symlink_to(tmp_path / "gone")
    with pytest.raises(Unreadable):
        read(tmp_path / "a")


def test_a_header_that_speaks_of_contrast_beside_plain_is_a_doubt(scan, write, tmp_path):
    plain = {"series_description": "HEAD WITHOUT CONTRAST", "contrast_agent": "OMNIPAQUE 350"}
    write(scan().with_header(series_description="HEAD W/WO CONTRAST"), tmp_path / "both")
    write(scan().with_header(**plain), tmp_path / "plain")
    assert any("with and without" in doubt for doubt in read(tmp_path / "both").source.doubts)
    assert any("names a contrast agent" in d for d in read(tmp_path / "plain").source.doubts)
    write(scan().with_header(**(plain | {"contrast_agent": "NONE GIVEN"})), tmp_path / "none")
    assert not any("contrast" in doubt for doubt in read(tmp_path / "none").source.doubts)


def test_a_tilt_in_the_header_that_the_places_lack_is_a_doubt(scan, write, edit, tmp_path):
    for name, tilt, told in (("lost", 0.0, 18.0), ("kept", 18.0, -18.0), ("none", 0.0, 0.0)):
        for path in write(scan(tilt=tilt), tmp_path / name):
            edit(path, GantryDetectorTilt=told)
        doubts = read(tmp_path / name).source.doubts
        assert any("gantry tilt of 18.0 degrees" in doubt for doubt in doubts) is (name == "lost")


def test_images_numbered_from_the_middle_are_a_doubt(scan, write, edit, tmp_path):
    for number, path in enumerate(write(scan(), tmp_path / "a"), start=7):
        edit(path, InstanceNumber=number)
    assert any("lack its first 6" in doubt for doubt in read(tmp_path / "a").source.doubts)
    write(scan(), tmp_path / "b")
    assert not any("numbered" in doubt for doubt in read(tmp_path / "b").source.doubts)
