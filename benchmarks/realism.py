"""How like a real head CT a simulated one measures: tissues, noise, edges, one way for both.

The simulated heads are laid, cut, tilted and written as the real one was, and read by the same
code. Grey and white matter are taken where the template has them deep inside, after the brain's
own box was fitted to it; fluid is the dark part of the middle of the brain.
"""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hemocast.anatomy import align, find_brain
from hemocast.dicom import CTHeader, make_uid, read, write_ct
from hemocast.simulate import Person, Protocol, build_head, scan_head
from hemocast.simulate.anatomy.atlas import ORIGIN, load_atlas
from hemocast.volume import Volume

REAL = "ge_head_tilted.zip"
PATCH = 48
HISTOGRAM = np.arange(-20, 81)
FREQUENCY = np.arange(0.03, 1.03, 0.04)
EDGES = {
    "skin and air": (-8.0, 4.0),
    "brain and inner table": (-12.0, 4.0),
    "ventricle and tissue": (-4.0, 5.0),
}
LIKE_REAL = Protocol(
    matrix=512, field_mm=250.0, slice_mm=7.0, mixed=True, tilt_degrees=18.5, blur_mm=1.2,
    noise_hu=3.2, holder=True, rotation_degrees=(13.0, 0.0, -8.0),
)  # fmt: skip
"""The real head's protocol, as near as the simulator comes: 3.5 for 4 mm below."""


@dataclass(frozen=True)
class Scan:
    """Slices as acquired, inferior to superior, and the Volume made of them."""

    hu: NDArray[np.float32]
    pixel_mm: float
    thickness_mm: NDArray[np.float64]
    positions: NDArray[np.float64]
    orientation: NDArray[np.float64]
    volume: Volume


@dataclass(frozen=True)
class Measured:
    """What was measured in one scan, HU.

    Edges are the median CT number by distance, mm; bone its 5, 25, 50, 75 and 95 % in the vault;
    thickness the vault's in the plane of the slices, mm.
    """

    brain: NDArray[np.float64]
    grey: float
    white: float
    fluid: float
    noise: float
    spectrum: NDArray[np.float64]
    edges: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
    bone: NDArray[np.float64]
    thickness: float


def real_scan(folder: Path) -> Scan:
    """Read the real head from the folder of test data."""
    import pydicom

    with tempfile.TemporaryDirectory() as scratch:
        with zipfile.ZipFile(folder / REAL) as archive:
            archive.extractall(scratch)
        images = [pydicom.dcmread(path) for path in sorted(Path(scratch).rglob("*.dcm"))]
        volume = read(Path(scratch))
    images.sort(key=lambda image: float(image.ImagePositionPatient[2]))
    hu = np.stack([image.pixel_array * image.RescaleSlope + image.RescaleIntercept
                   for image in images]).astype(np.float32)  # fmt: skip
    thickness = np.array([float(image.SliceThickness) for image in images])
    positions = np.array([image.ImagePositionPatient for image in images], dtype=np.float64)
    orientation = np.array(images[0].ImageOrientationPatient, dtype=np.float64)
    pixel = float(images[0].PixelSpacing[0])
    return Scan(hu, pixel, thickness, positions, orientation, volume)


def simulated_scan(seed: int, age: float = 62.0, protocol: Protocol = LIKE_REAL) -> Scan:
    """Simulate a head without an infarct, write it as DICOM and read it."""
    head = build_head(np.random.default_rng(seed), Person(age, van_swieten=(1, 1)))
    frames = scan_head(head, protocol, np.random.default_rng([seed, 1]))
    header = CTHeader("S", "SIMULATED^S", make_uid("s"), make_uid("s", seed),
                      series_description="SIMULATED HEAD",
                      gantry_tilt=protocol.tilt_degrees,
                      slice_thickness=frames.thickness_mm)  # fmt: skip
    spacing = (frames.pixel_mm, frames.pixel_mm)
    with tempfile.TemporaryDirectory() as scratch:
        write_ct(frames.hu, frames.positions, frames.orientation, spacing, header, Path(scratch))
        volume = read(Path(scratch))
    return Scan(frames.hu, frames.pixel_mm, frames.thickness_mm, frames.positions,
                frames.orientation, volume)  # fmt: skip


def measure_scan(scan: Scan) -> Measured:
    """Measure everything in one scan."""
    mask = find_brain(scan.volume).mask
    grey, white, fluid = _tissues(scan.volume)
    inside = [_outlines(frame, scan.pixel_mm) for frame in scan.hu]
    level = _vault_slices(scan, inside)
    noise, spectrum = _noise([(scan.hu[k], inside[k][2]) for k in level], scan.pixel_mm)
    vault = np.concatenate([scan.hu[k][(scan.hu[k] > 300) & inside[k][0]] for k in level])
    return Measured(
        np.histogram(scan.volume.hu[mask], HISTOGRAM, density=True)[0],
        grey, white, fluid, noise, spectrum,
        _edges([(scan.hu[k], *inside[k]) for k in level], scan.pixel_mm),
        np.percentile(vault, [5, 25, 50, 75, 95]),
        _thickness([inside[k] for k in level], scan.pixel_mm),
    )  # fmt: skip


def overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the area that two histograms share, 0 to 1."""
    return float(np.minimum(a, b).sum())


def _vault_slices(scan: Scan, inside: list[tuple[NDArray[np.bool_], ...]]) -> list[int]:
    """Return the six thick slices about the widest one: level with the ventricles."""
    area = np.array([part[2].sum() for part in inside]) * (scan.thickness_mm > 5)
    first = int(np.clip(area.argmax() - 1, 0, len(area) - 6))
    return list(range(first, first + 6))


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    label, n = ndimage.label(mask)
    if n == 0:
        return mask
    return np.asarray(label == np.bincount(label.ravel())[1:].argmax() + 1)


def _outlines(frame: NDArray[np.float32], pixel: float) -> tuple[NDArray[np.bool_], ...]:
    """Return a slice's head, its skull filled, and what the skull encloses."""
    soft = ndimage.gaussian_filter(frame, 0.5 / pixel) > -400
    head = _largest(ndimage.binary_fill_holes(ndimage.binary_opening(soft, iterations=3)))
    bone = _largest((frame > 300) & head)
    filled = ndimage.binary_fill_holes(bone)
    inner = filled & ~ndimage.binary_closing(bone, iterations=2)
    return head, filled, _largest(inner) if inner.any() else inner


def _distance(mask: NDArray[np.bool_], pixel: float) -> NDArray[np.float64]:
    """Return mm to the mask's edge, negative inside."""
    out = ndimage.distance_transform_edt(~mask) - 0.5
    into = ndimage.distance_transform_edt(mask) - 0.5
    return np.asarray(np.where(mask, -into, out) * pixel)


def _thickness(outlines: list[tuple[NDArray[np.bool_], ...]], pixel: float) -> float:
    """Return the median over the vault of the way through it."""
    ways = []
    for _, filled, inner in outlines:
        way = ndimage.distance_transform_edt(~inner) + ndimage.distance_transform_edt(filled)
        ways.append(way[filled & ~inner] * pixel)
    return float(np.median(np.concatenate(ways)))


def _edges(
    slices: list[tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_],
                       NDArray[np.bool_]]], pixel: float
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:  # fmt: skip
    near: dict[str, list[tuple[NDArray[np.float64], NDArray[np.float32]]]] = {k: [] for k in EDGES}
    for frame, head, _, inner in slices:
        depth = _distance(inner, pixel)
        smooth = ndimage.gaussian_filter(frame, 1.5 / pixel)
        dark = (smooth < 20) & (depth < -18)
        label, n = ndimage.label(dark)
        size = np.bincount(label.ravel(), minlength=n + 1) * pixel**2
        dark &= (size > 60)[label]
        maps = {
            "skin and air": (_distance(head, pixel), frame < 3000),
            "brain and inner table": (depth, frame < 3000),
            "ventricle and tissue": (_distance(dark, pixel), (depth < -18) & (frame < 70)),
        }
        for name, (mm, wanted) in maps.items():
            if name.startswith("ventricle") and not dark.any():
                continue
            low, high = EDGES[name]
            wanted = wanted & (mm > low) & (mm < high)
            near[name].append((mm[wanted], frame[wanted]))
    result = {}
    for name, parts in near.items():
        bins = np.arange(*EDGES[name], 0.5)
        at = np.digitize(np.concatenate([p[0] for p in parts]), bins)
        values = np.concatenate([p[1] for p in parts])
        profile = [np.median(values[at == k]) for k in range(1, len(bins))]
        result[name] = (bins[:-1] + 0.25, np.array(profile))
    return result


def _noise(
    slices: list[tuple[NDArray[np.float32], NDArray[np.bool_]]], pixel: float
) -> tuple[float, NDArray[np.float64]]:
    """Return the SD and the radial power spectrum (HU2 mm2) of the flattest tenth of patches."""
    grid = np.linspace(-1, 1, PATCH)
    y, x = np.meshgrid(grid, grid, indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y]).reshape(6, -1).T
    flat = np.linalg.pinv(terms)
    patches, rough = [], []
    for frame, inner in slices:
        deep = ndimage.binary_erosion(inner, iterations=int(8 / pixel))
        for i in range(0, len(frame) - PATCH, 8):
            for j in range(0, len(frame) - PATCH, 8):
                at = slice(i, i + PATCH), slice(j, j + PATCH)
                if deep[at].all():
                    part = frame[at].astype(np.float64).ravel()
                    rest = (part - terms @ (flat @ part)).reshape(PATCH, PATCH)
                    patches.append(rest)
                    rough.append(ndimage.gaussian_filter(rest, 2.0).std())
    kept = np.array(patches)[np.argsort(rough)[: max(8, len(rough) // 10)]]
    window = np.outer(np.hanning(PATCH), np.hanning(PATCH))
    power = np.abs(np.fft.fft2(kept * window)) ** 2 * pixel**2 / (window**2).sum()
    axis = np.fft.fftfreq(PATCH, pixel)
    radius = np.hypot(axis[:, None], axis[None])
    mean = power.mean(axis=0)
    bins = np.digitize(radius, FREQUENCY)
    return float(np.median(kept.std(axis=(1, 2)))), np.array(
        [mean[bins == k].mean() for k in range(1, len(FREQUENCY))]
    )


def _tissues(volume: Volume) -> tuple[float, float, float]:
    """Return the medians of deep grey matter, deep white matter and ventricular fluid."""
    brain = find_brain(volume)
    pose = align(volume, brain)
    inverse = np.linalg.inv(pose.matrix) @ volume.affine
    z, y, x = np.nonzero(brain.mask)
    upright = np.stack([x, y, z, np.ones_like(x)]).T @ inverse.T
    atlas = load_atlas()
    spots = np.argwhere(atlas.level > 100)[:, ::-1] + ORIGIN
    ends, own = (np.percentile(p[:, :3], [1, 99], axis=0) for p in (spots, upright))
    scale = (own[1] - own[0]) / (ends[1] - ends[0])
    scale[2] = (own[1, 2] + 0.0) / (ends[1, 2] - 5.0)  # the vertex: the base may be cut
    middle = (own.sum(axis=0) - scale * ends.sum(axis=0)) / 2
    middle[2] = -5.0 * scale[2]
    middle[0] = 0.0
    at = np.rint((upright[:, :3] - middle) / scale - ORIGIN).astype(int)[:, ::-1]
    at = np.clip(at, 0, np.array(atlas.level.shape) - 1)
    places = tuple(at.T)
    smooth = ndimage.gaussian_filter(volume.hu, [0, 1.5 / volume.spacing[1],
                                                 1.5 / volume.spacing[2]])[z, y, x]  # fmt: skip
    hu = volume.hu[z, y, x]
    depth = 60 - atlas.distance[places].astype(int)  # quarters of a millimetre
    full = ndimage.grey_erosion(atlas.level, (3, 3, 3))[places] > 180
    pale = ndimage.grey_erosion(atlas.white, (7, 7, 7))[places] > 225
    nuclei = ndimage.grey_dilation(atlas.white, (5, 5, 5))[places] < 90
    high = at[:, 0] + ORIGIN[2] > 14
    dark = (smooth < 13) & (depth > 59) & (np.abs(at[:, 2] + ORIGIN[0]) < 40)
    return (
        float(np.median(hu[nuclei & full & (depth > 59) & (smooth > 20)])),
        float(np.median(hu[pale & high & (smooth > 18)])),
        float(np.median(hu[dark])),
    )
