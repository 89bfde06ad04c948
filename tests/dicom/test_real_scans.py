"""Real scans: positions, tilt and edges in millimetres, and pictures to look at."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from PIL import Image
from scipy.ndimage import label, map_coordinates

from hemocast.dicom import find_scans, read


def sample(volume, points_ras):
    """Trilinear values at points (..., 3), RAS mm."""
    ones = np.ones_like(points_ras[..., :1])
    voxels = np.concatenate([points_ras, ones], -1) @ np.linalg.inv(volume.affine).T
    # The affine is rounded to single precision: the first slice may lie a hair outside.
    x, y, z = np.moveaxis(voxels[..., :3].round(3), -1, 0)
    return map_coordinates(volume.hu, [z, y, x], order=1, cval=-1024)


def line_through(heights, places):
    """Slope, and the largest distance from the fitted line."""
    fit = np.polyfit(heights, places, 1)
    return fit, np.abs(np.polyval(fit, heights) - places).max()


def test_the_tilted_head_has_its_slices_where_the_scanner_took_them(ge_head, ge_volume):
    facts = ge_volume.source.facts
    steps = np.array(facts["steps_mm"])
    np.testing.assert_allclose(steps[:13], 4.00, atol=0.005)
    np.testing.assert_allclose(steps[13], 1.08, atol=0.005)
    np.testing.assert_allclose(steps[14:], 7.00, atol=0.005)
    assert facts["tilt_degrees"] == pytest.approx(18.5, abs=0.05)
    assert facts["slice_thickness_mm"] == [4.0, 7.0]
    assert ge_volume.spacing == pytest.approx((4.0, 0.48828, 0.48828), abs=0.003)
    assert ge_volume.hu.shape[2] == 512
    assert ge_volume.hu.shape[1] > 512 + 90  # 45 mm of shear: grown, not cut
    assert ge_volume.hu.min() == -1024  # padding was -1500
    assert len(find_scans(ge_head).scans) == 1  # 21 acquisition numbers are one scan
    axes = ge_volume.affine[:3, :3]
    gram = axes.T @ axes
    assert np.abs(gram - np.diag(np.diag(gram))).max() < 1e-6
    assert "gantry tilt of 18.5 degrees taken out" in ge_volume.source.corrected
    assert "steps of 1.08 to 7.00 mm resampled to even 4.00 mm" in ge_volume.source.corrected


def test_every_pixel_of_the_tilted_head_is_where_its_header_says(ge_head, ge_volume):
    rows, columns = np.mgrid[60:450:5, 60:450:5]
    for number, path in enumerate(sorted(ge_head.rglob("*.dcm"))):
        dataset = pydicom.dcmread(path)
        orientation = np.array(dataset.ImageOrientationPatient, float)
        spacing = np.array(dataset.PixelSpacing, float)
        places = (
            np.array(dataset.ImagePositionPatient, float)
            + columns[..., None] * spacing[1] * orientation[:3]
            + rows[..., None] * spacing[0] * orientation[3:]
        )
        truth = np.clip(dataset.pixel_array[rows, columns], -1024, None).astype(float)
        found = sample(ge_volume, places * [-1, -1, 1])
        brain = (truth > -50) & (truth < 120)
        if number < 14:  # on the grid in z; moved in their plane by linear interpolation
            assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.9995
            assert np.median(np.abs(found - truth)[brain]) < 1.5  # noise, smoothed
        elif number < 27:  # between the planes of the grid
            assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.99
        index = [
            i for i, made_of in enumerate(ge_volume.slices) if dataset.SOPInstanceUID in made_of
        ]
        assert index


def test_the_tilted_head_is_symmetric_and_its_outline_has_no_step(ge_volume):
    step, row, column = ge_volume.spacing
    middles, fronts, backs, heights = [], [], [], []
    for z in range(14, 33):
        parts, _ = label(ge_volume.hu[z] > 200)
        bone = parts == np.bincount(parts.ravel())[1:].argmax() + 1  # the skull, not the headrest
        across = np.flatnonzero(bone.any(axis=0)) * column
        along = np.flatnonzero(bone[:, 236:276].any(axis=1)) * row
        middles.append((across[0] + across[-1]) / 2)
        fronts.append(along[0])
        backs.append(along[-1])
        heights.append(z * step)
    fit, off = line_through(heights, middles)
    assert abs(np.degrees(np.arctan(fit[0]))) < 2.5  # both sides alike all the way up
    assert off < 1.0
    # Front and back of the skull are smooth curves: a wrong shear would break them where the
    # slice thickness changes (z = 13) and lean them by 18 degrees.
    for edge in (fronts, backs):
        curve = np.polyfit(heights, edge, 4)
        assert np.abs(np.polyval(curve, heights) - edge).max() < 2.5
    centres = (np.array(fronts) + backs) / 2
    widest = slice(0, 10)
    fit, _ = line_through(heights[widest], centres[widest])
    assert abs(np.degrees(np.arctan(fit[0]))) < 9.0


def test_pictures_of_the_tilted_head(ge_volume, artefacts):
    step, row, column = ge_volume.spacing
    scale = 3.0  # pixels of the picture per mm
    middle_x = ge_volume.hu.shape[2] // 2
    middle_y = ge_volume.hu.shape[1] // 2
    planes = {
        "ge_head_sagittal": (ge_volume.hu[::-1, :, middle_x], step, row),
        "ge_head_coronal": (ge_volume.hu[::-1, middle_y, :], step, column),
        "ge_head_axial": (ge_volume.hu[20], row, column),
    }
    for name, (plane, down, across) in planes.items():
        grey = np.clip(plane / 80.0, 0, 1) * 255  # brain window: 0 to 80 HU
        size = round(plane.shape[1] * across * scale), round(plane.shape[0] * down * scale)
        picture = Image.fromarray(grey.astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
        picture.save(artefacts / f"{name}.png")
        assert picture.getextrema()[1] == 255


def test_straight_edges_of_the_phantom_are_straight_at_both_tilts_and_agree(unpack):
    """The edge of a rod, found in both scans at the same places in the room."""
    flat, tilted = read(unpack("phantom_tilt0_5mm")), read(unpack("phantom_tilt_plus16"))
    assert flat.source.corrected == ()
    assert tilted.source.corrected == ("gantry tilt of 16.5 degrees taken out",)
    assert tilted.spacing[0] == pytest.approx(2.397, abs=0.001)
    heights = np.arange(704.0, 735.0, 3.0)
    down = np.arange(-140.0, -149.5, -0.1)
    fits = []
    for volume in (flat, tilted):
        edge = []
        for height in heights:
            points = np.stack([np.full_like(down, 2.5), down, np.full_like(down, height)], -1)
            values = sample(volume, points)
            inside = np.flatnonzero(values < -400)[0]
            edge.append(down[inside])
        fit, off = line_through(heights, edge)
        assert off < 0.5
        fits.append((fit, np.array(edge)))
    lean = np.degrees(np.arctan([fit[0] for fit, _ in fits]))
    assert abs(lean[0] - lean[1]) < 1.0
    assert np.abs(fits[0][1] - fits[1][1]).max() < 1.5


def test_the_phantom_scans_agree_voxel_by_voxel(unpack):
    flat, tilted = read(unpack("phantom_tilt0_5mm")), read(unpack("phantom_tilt_plus16"))
    z, y, x = np.indices(flat.hu.shape)[:, :, ::5, ::5]
    points = (np.stack([x, y, z, np.ones_like(x)], -1) @ flat.affine.T)[..., :3]
    found = sample(tilted, points)
    seen = found > -1024
    same = np.corrcoef(flat.hu[z, y, x][seen], found[seen])[0, 1]
    wrong = np.corrcoef(flat.hu[z, y, x][seen], sample(tilted, points + np.array([0, 6, 0]))[seen])[
        0, 1
    ]
    assert same > 0.9
    assert same > wrong + 0.1
