from __future__ import annotations

import gzip
import itertools

import nibabel as nib
import numpy as np
import pytest

from hemocast.dicom import read, read_nifti, write_nifti
from hemocast.dicom.files.nifti import read_map
from hemocast.errors import (
    BadGeometry,
    HemocastError,
    MalformedFile,
    NotABrain,
    NothingThere,
    NotHounsfield,
    SeveralScans,
    TooLarge,
    TruncatedFile,
    Unreadable,
)


@pytest.fixture
def volume(scan, write, tmp_path):
    write(scan(tilt=8), tmp_path / "dicom")
    return read(tmp_path / "dicom")


def save(path, data, affine, **header):
    image = nib.Nifti1Image(data, affine)
    for name, value in header.items():
        image.header[name] = value
    nib.save(image, path)
    return path


def test_a_volume_survives_the_way_through_nifti(volume, tmp_path):
    path = tmp_path / "scan.nii.gz"
    write_nifti(volume.hu, volume.affine, path)
    back = read(path)
    assert np.abs(back.hu - volume.hu).max() <= 0.5
    np.testing.assert_allclose(back.affine, volume.affine, atol=1e-4)
    assert back.source.kind == "nifti"
    assert len(back.source.scan_uid) == 16
    assert back.slices == ((),) * volume.hu.shape[0]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dicom", "scan.nii.gz"]


def test_the_same_volume_gives_the_same_bytes_and_floats_stay_floats(volume, tmp_path):
    for name in ("a.nii.gz", "b.nii.gz"):
        write_nifti(volume.hu, volume.affine, tmp_path / name, dtype=np.float32)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
    np.testing.assert_array_equal(read_nifti(tmp_path / "a.nii.gz").hu, volume.hu)


@pytest.mark.parametrize("unit", [1e-9, 0.003, 1.0, 4e6])
def test_scaled_values_of_any_size_come_back_to_half_a_step(unit, tmp_path):
    values = np.zeros((4, 30, 20), np.float32)
    values[1:3, 5:25] = unit * np.random.default_rng(0).normal(size=(2, 20, 20))
    path = tmp_path / "map.nii.gz"
    write_nifti(values, np.diag([2.0, 2.0, 4.0, 1.0]), path, scaled=True)
    image = nib.load(path)
    assert image.get_data_dtype() == np.int16
    back = image.get_fdata().T
    assert np.abs(back - values).max() <= np.abs(values).max() / 32767 * 0.51
    assert not back[values == 0].any()
    write_nifti(-values, np.diag([2.0, 2.0, 4.0, 1.0]), path, scaled=True)
    np.testing.assert_array_equal(nib.load(path).get_fdata().T, -back)


def test_whole_numbers_are_scaled_as_others_are(tmp_path):
    values = np.array([0, 5, -70_000, 1000]).reshape(1, 2, 2)
    write_nifti(values, np.eye(4), tmp_path / "map.nii", scaled=True)
    back = nib.load(tmp_path / "map.nii").get_fdata().T
    assert np.abs(back - values).max() <= 70_000 / 32767 * 0.51


def test_a_scaled_map_of_nothing_is_nothing(tmp_path):
    write_nifti(np.zeros((3, 4, 5)), np.eye(4), tmp_path / "map.nii.gz", scaled=True)
    assert not nib.load(tmp_path / "map.nii.gz").get_fdata().any()


def test_every_axis_order_reads_the_same(volume, tmp_path):
    reference = np.rint(volume.hu)
    base = nib.Nifti1Image(reference.transpose(2, 1, 0), volume.affine)
    for order in itertools.permutations(range(3)):
        for signs in [(1, 1, 1), (-1, 1, -1)]:
            turned = base.as_reoriented(np.array(list(zip(order, signs, strict=True))))
            nib.save(turned, tmp_path / "t.nii")
            back = read_nifti(tmp_path / "t.nii")
            np.testing.assert_array_equal(back.hu, reference)
            np.testing.assert_allclose(back.affine, volume.affine, atol=1e-3)


def test_a_nifti_in_a_zip_or_folder_is_found(volume, tmp_path):
    import zipfile

    (tmp_path / "f").mkdir()
    write_nifti(volume.hu, volume.affine, tmp_path / "f" / "ct.nii.gz")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.write(tmp_path / "f" / "ct.nii.gz", "sub/ct.nii.gz")
    assert read(tmp_path / "f").hu.shape == read(tmp_path / "z.zip").hu.shape
    write_nifti(volume.hu, volume.affine, tmp_path / "f" / "two.nii.gz")
    with pytest.raises(SeveralScans):
        read(tmp_path / "f")


def test_voxels_without_a_number_become_air(volume, tmp_path):
    data = volume.hu.transpose(2, 1, 0).copy()
    data[:5] = np.nan
    back = read_nifti(save(tmp_path / "n.nii", data, volume.affine))
    assert (back.hu[:, :, :5] == -1024).all()
    assert back.source.corrected == ("voxels without a number set to air",)


def test_what_is_not_one_ct_scan_is_refused(volume, tmp_path, no_litter):
    data, affine = volume.hu.transpose(2, 1, 0), volume.affine
    path = tmp_path / "x.nii.gz"

    def refused(error):
        with pytest.raises(error) as caught:
            read_nifti(path)
        assert isinstance(caught.value, HemocastError)

    save(path, np.stack([data, data], -1), affine)
    refused(SeveralScans)
    save(path, data[:, :, 0], affine)
    refused(BadGeometry)
    sheared = affine.copy()
    sheared[1, 2] += 1.5
    save(path, data, sheared)
    refused(BadGeometry)
    save(path, data, affine)
    image = nib.load(path)
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    nib.save(image, path)
    refused(BadGeometry)
    save(path, data, affine @ np.diag([1000, 1000, 1000, 1]))
    refused(BadGeometry)
    save(path, (data + 1024).astype(np.float32), affine)
    refused(NotHounsfield)
    save(path, data.astype(np.complex64), affine)
    refused(NotHounsfield)
    whole = path.read_bytes()
    path.write_bytes(b"")
    refused((MalformedFile, TruncatedFile))
    path.write_bytes(b"not gzip at all")
    refused(MalformedFile)
    path.write_bytes(whole[:100])
    refused((MalformedFile, TruncatedFile))
    with pytest.raises(NothingThere):
        read_nifti(tmp_path / "none.nii")


@pytest.mark.parametrize("name", ["t.nii", "t.nii.gz"])
def test_a_truncated_file(name, volume, tmp_path):
    path = tmp_path / name
    write_nifti(volume.hu, volume.affine, path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(TruncatedFile):
        read_nifti(path)


def test_hostile_sizes_are_refused_before_any_voxel_is_read(volume, tmp_path):
    path = tmp_path / "h.nii"
    write_nifti(volume.hu, volume.affine, path)
    data = bytearray(path.read_bytes())
    for axis in (42, 44, 46):
        data[axis : axis + 2] = (32000).to_bytes(2, "little")
    path.write_bytes(bytes(data))
    with pytest.raises(TooLarge):
        read_nifti(path)
    data[108:112] = np.float32(1e12).tobytes()
    (tmp_path / "h.nii.gz").write_bytes(gzip.compress(bytes(data)))
    with pytest.raises((MalformedFile, TooLarge)):
        read_nifti(tmp_path / "h.nii.gz")


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_extensions_are_never_read_however_long_they_say_they_are(tmp_path, volume, ending):
    """A gzip of 6 MB whose one extension is 6 GB; here 600 MB, which must not be allocated."""
    import tracemalloc

    path = tmp_path / f"bomb{ending}"
    write_nifti(volume.hu, volume.affine, tmp_path / "good.nii")
    good = (tmp_path / "good.nii").read_bytes()
    size = 600 * 2**20
    for offset in (352.0 + size, 352.0):
        header = bytearray(good[:352])
        header[108:112] = np.float32(offset).tobytes()
        header[348] = 1  # extensions follow
        start = bytes(header) + np.array([size, 6], "<i4").tobytes()
        with gzip.open(path, "wb", 1) if ending == ".nii.gz" else path.open("wb") as file:
            file.write(start)
            for _ in range(size >> 24):
                file.write(bytes(2**24))
        tracemalloc.start()
        with pytest.raises(HemocastError) as refusal:
            read(path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert refusal.value.code != "HC000"
        assert peak < 2**28


def test_a_map_is_read_with_the_values_and_places_of_its_file(tmp_path):
    values = np.random.default_rng(0).normal(0, 3, (5, 6, 7)).astype(np.float32)
    affine = np.array([[-2.0, 0, 0, 9], [0, 0, 3, -4], [0, 2.5, 0, 1], [0, 0, 0, 1]])
    read_values, read_affine = read_map(save(tmp_path / "map.nii.gz", values, affine))
    np.testing.assert_array_equal(read_values, values)
    np.testing.assert_allclose(read_affine, affine)
    values[1, 2, 3] = np.nan
    with pytest.raises(MalformedFile):
        read_map(save(tmp_path / "nan.nii", values, affine))
    with pytest.raises(SeveralScans):
        read_map(save(tmp_path / "two.nii", values[..., None].repeat(2, 3), affine))


def test_a_disk_that_fails_is_no_malformed_file(tmp_path):
    for name in ("a.nii", "a.nii.gz"):
        (tmp_path / name).symlink_to("/proc/self/mem")
        with pytest.raises(Unreadable, match="Input/output error"):
            read_nifti(tmp_path / name)


def test_a_map_whose_sides_are_not_known_claims_no_orientation(volume, tmp_path):
    for known in (True, False):
        write_nifti(volume.hu, volume.affine, tmp_path / "map.nii.gz", sides_known=known)
        header = nib.load(tmp_path / "map.nii.gz").header
        assert int(header["sform_code"]) == int(header["qform_code"]) == int(known)


@pytest.mark.parametrize("outside", [0.0, -1024.0])
def test_a_brain_without_its_skull_is_named(outside, tmp_path):
    z, y, x = np.indices((40, 80, 80)) - np.array([20, 40, 40])[:, None, None, None]
    brain = (z / 16) ** 2 + (y / 30) ** 2 + (x / 25) ** 2 < 1
    values = np.where(brain, 34 + np.random.default_rng(0).normal(0, 5, brain.shape), outside)
    write_nifti(values, np.diag([2.0, 2.0, 4.0, 1.0]), tmp_path / "brain.nii")
    with pytest.raises(NotABrain, match="skull has been removed"):
        read_nifti(tmp_path / "brain.nii")


@pytest.mark.parametrize(("name", "packed"), [("a.nii", True), ("a.nii.gz", False)])
def test_packed_or_not_is_told_by_content(name, packed, tmp_path):
    values = np.full((10, 20, 20), -1000.0)
    values[2:8, 5:15, 5:15] = np.random.default_rng(0).normal(40, 200, (6, 10, 10)).round()
    write_nifti(values, np.diag([2.0, 2.0, 4.0, 1.0]), tmp_path / "plain.nii")
    content = (tmp_path / "plain.nii").read_bytes()
    (tmp_path / name).write_bytes(gzip.compress(content) if packed else content)
    right = read_nifti(tmp_path / "plain.nii")
    assert np.array_equal(read_nifti(tmp_path / name).hu, right.hu)
