"""Is the rim under the skull denser in one place than bone's blur explains? A look for thin blood.

Subdural blood a few millimetres thick lies where bone brightens all there is. So nothing is judged
by its CT number alone: along rays from the middle of the brain, what lies just inside the inner
table is compared with what the same head shows elsewhere behind bone that rises as steeply and as
high, and with the mirror image of the place. A thin layer shows best nearest to bone, a thick one
deeper, where bone's blur ends. It is a doubt and never a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hemocast.anatomy import Alignment, Brain
from hemocast.anatomy.fields import robust_step, sample
from hemocast.volume import BoolArray, FloatArray, Volume

# Rays over the vault: below lie petrous bone and transverse sinuses, above slices graze the skull.
_STEP_DEGREES = 3.0
_UP_DEGREES = (-9.0, 48.0)
_MIDLINE_MM = 12.0  # the superior sagittal sinus
_REACH_MM = (30.0, 110.0)
_COARSE_MM, _FINE_MM = 2.0, 0.5
# How far inside and outside the brain's outline CT numbers are looked at along a ray.
_WITHIN_MM, _BEYOND_MM = 12.0, 10.0
# The inner table is where bone reaches 300 HU, how sharp it is how far it is from there to 600 HU.
_TABLE_HU, _STEEP_HU = 300.0, 600.0
_FAR_MM, _BLUNT_MM = 6.0, 1.6
# What is measured, mm inside of the inner table, and what bone is measured by, outside of it.
_SHALLOW_MM, _DEEP_MM, _BRAIN_MM, _BONE_MM = (1.0, 2.5), (2.0, 4.0), (8.0, 10.5), (1.0, 2.0, 4.0)
_OUTLIER_HU, _MOST_HU = 6.0, 25.0
_PATCH_MM = 12.0
_LEAST_RAYS, _LEAST_SEEN = 0.3, 0.6
# Of a normal distribution: the share below one SD, and how small a third of the values are, in SD.
_BELOW_ONE_SD, _THIRD, _THIRD_OF_SD = 0.159, 1 / 3, 0.431
# Ours, chosen on simulated heads: how much denser a place must be; near bone also how many times
# what places of the same head otherwise differ by. A wide layer makes itself usual: deeper, where
# bone's blur ends, that is not asked. Simulated heads without blood reach 6.0 and 5.1 HU in slices
# of up to 5 mm, the real one 6.0 (0.8 times) and 5.1. Thicker slices hold more of the vault's
# slope: those of 8 mm reach 8.0 and 7.8.
SHALLOW_HU, SHALLOW_TIMES, DEEP_HU = 6.5, 1.2, 7.0
_USUAL_MM, _THICK_HU = 5.0, 1.0  # so much more is asked for every mm that slices are thicker


@dataclass(frozen=True)
class Rim:
    """The place under the skull that stands out most.

    Parameters
    ----------
    excess_hu : float
        How much denser it is than bone's blur explains, and than its mirror image, whichever is
        less, HU.
    of_limit : float
        The same as a share of what is asked for a doubt.
    slice_number : int
        Slice through its middle, from 1 at the bottom.
    """

    excess_hu: float
    of_limit: float
    slice_number: int

    @property
    def doubt(self) -> str | None:
        """What may be blood, in words; None where nothing stands out."""
        if self.of_limit < 1:
            return None
        return f"may hold a thin layer of blood under the skull, at slice {self.slice_number}"


@dataclass(frozen=True)
class _Rays:
    """What lies along rays from the middle of the brain, (azimuth, elevation).

    Parameters
    ----------
    hu : ndarray of float32, shape (azimuth, elevation, step)
        CT numbers every half millimetre.
    first_mm : ndarray
        How far from the middle the first of them is, mm.
    table_mm : ndarray
        How far the inner table is, mm.
    blunt_mm : ndarray
        How far from there bone reaches 600 HU, mm.
    seen : ndarray of bool
        Whether brain and a sharp inner table close to it were found.
    """

    hu: FloatArray
    first_mm: FloatArray
    table_mm: FloatArray
    blunt_mm: FloatArray
    seen: BoolArray

    def at(self, depth_mm: float) -> FloatArray:
        """CT numbers at a depth inside of the inner table (outside where negative)."""
        place = (self.table_mm - depth_mm - self.first_mm) / _FINE_MM
        low = np.clip(np.floor(place), 0, self.hu.shape[-1] - 2).astype(np.intp)
        share = (place - low).astype(np.float32)
        below, above = (
            np.take_along_axis(self.hu, (low + step)[..., None], -1)[..., 0] for step in (0, 1)
        )
        return np.asarray(below + share * (above - below), np.float32)

    def mean(self, within_mm: tuple[float, float]) -> FloatArray:
        """Mean CT number between two depths."""
        depths = np.arange(within_mm[0], within_mm[1] + _FINE_MM / 2, _FINE_MM)
        levels = [self.at(float(depth)) for depth in depths]
        return np.asarray(np.mean(levels, axis=0), np.float32)


def look_at_rim(volume: Volume, brain: Brain, pose: Alignment) -> Rim | None:
    """Find the place just inside the vault that stands out most.

    Parameters
    ----------
    volume : Volume
        The scan.
    brain : Brain
        Its brain.
    pose : Alignment
        How it is set upright: the mirror image is known by it.

    Returns
    -------
    Rim or None
        None where metal lies near, or too little of the inner table can be seen.
    """
    if brain.metal is not None:
        return None
    rays = _cast(volume, brain, pose)
    if rays.seen.mean() < _LEAST_RAYS:
        return None
    shallow, times = _stands_out(rays, _SHALLOW_MM)
    deep, _ = _stands_out(rays, _DEEP_MM)
    more = _THICK_HU * max(0.0, volume.spacing[0] - _USUAL_MM)
    near = np.where(times >= SHALLOW_TIMES, shallow / (SHALLOW_HU + more), 0)
    of_limit = np.maximum(near, deep / (DEEP_HU + more))
    at = np.unravel_index(int(of_limit.argmax()), of_limit.shape)
    place = pose.matrix @ [*(_directions()[at] * rays.table_mm[at]), 1]
    number = round(float((np.linalg.inv(volume.affine) @ place)[2])) + 1
    return Rim(float(max(shallow[at], deep[at])), float(of_limit[at]), number)


def _stands_out(rays: _Rays, within_mm: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    """How much denser places are than bone explains and than their mirror images; 0 if unknown.

    And as many times what such places of the head otherwise differ by.
    """
    excess, weight = _unexplained(rays, within_mm)
    own = _over_patches(excess, weight)
    both = np.asarray(
        1 / (1 / np.maximum(weight, 1e-9) + 1 / np.maximum(weight[::-1], 1e-9)), np.float32
    )
    both[(weight == 0) | (weight[::-1] == 0)] = 0
    mirrored = _over_patches(excess - excess[::-1], both)
    known = (own != 0) & (mirrored != 0)
    if not known.any():
        return np.zeros_like(own), np.zeros_like(own)
    # Blood lies at one end of `own`, at both of `mirrored`: the rest tells what is usual.
    usual = (
        max(0.5, float(np.median(own[known]) - np.quantile(own[known], _BELOW_ONE_SD))),
        max(0.5, float(np.quantile(np.abs(mirrored[known]), _THIRD) / _THIRD_OF_SD)),
    )
    stands_out = np.where(known, np.minimum(own, mirrored), 0)
    return stands_out, np.minimum(own / usual[0], mirrored / usual[1])


@lru_cache(maxsize=1)
def _directions() -> NDArray[np.float64]:
    """Directions of the rays, upright (x, y, z); the mirror image of the i-th is the i-th last."""
    around = np.deg2rad(np.arange(_STEP_DEGREES / 2, 360, _STEP_DEGREES))
    up = np.deg2rad(np.arange(_UP_DEGREES[0], _UP_DEGREES[1] + 0.1, _STEP_DEGREES))
    around, up = np.meshgrid(around, up, indexing="ij")
    return np.stack([np.sin(around) * np.cos(up), np.cos(around) * np.cos(up), np.sin(up)], axis=-1)


def _cast(volume: Volume, brain: Brain, pose: Alignment) -> _Rays:
    """Look along all rays: where the brain ends, and bone begins."""
    to_voxel = np.linalg.inv(volume.affine) @ pose.matrix
    way = (_directions() @ to_voxel[:3, :3].T)[..., ::-1]
    start = to_voxel[2::-1, 3]
    radii = np.arange(*_REACH_MM, _COARSE_MM)
    at = np.rint(start + way[..., None, :] * radii[:, None]).astype(np.intp)
    within = ((at >= 0) & (at < brain.mask.shape)).all(axis=-1)
    at[~within] = 0
    inside = within & brain.mask[tuple(np.moveaxis(at, -1, 0))]
    last = radii[len(radii) - 1 - inside[..., ::-1].argmax(axis=-1)]
    offsets = np.arange(-_WITHIN_MM, _BEYOND_MM, _FINE_MM)
    places = start + way[..., None, :] * (last[..., None] + offsets)[..., None]
    hu = sample(volume.hu[..., None], places.reshape(-1, 3).astype(np.float32))
    hu = hu.reshape(places.shape[:-1])
    first = (last - _WITHIN_MM).astype(np.float32)
    from_mm = round((_WITHIN_MM - 2 * _COARSE_MM) / _FINE_MM)
    (table, found), (steep, steeper) = (
        _crossing(hu, level, from_mm) for level in (_TABLE_HU, _STEEP_HU)
    )
    blunt = steep - table
    seen = inside.any(axis=-1) & found & steeper & (blunt > 0) & (blunt < _BLUNT_MM)
    seen &= (first + table - last < _FAR_MM) & (np.abs(_directions()[..., 0]) * last > _MIDLINE_MM)
    return _Rays(hu, first, first + table, blunt, seen)


def _crossing(hu: FloatArray, level: float, start: int) -> tuple[FloatArray, BoolArray]:
    """Return how far along each ray CT numbers rise above a level, mm, and whether they do."""
    above = hu > level
    above[..., :start] = False
    at = np.maximum(above.argmax(axis=-1), 1)[..., None]
    low, high = (np.take_along_axis(hu, at - step, -1)[..., 0] for step in (1, 0))
    share = np.clip((level - low) / np.maximum(high - low, 1), 0, 1)
    far = ((at[..., 0] - 1 + share) * _FINE_MM).astype(np.float32)
    return far, np.asarray(above.any(axis=-1), np.bool_)


def _unexplained(rays: _Rays, within_mm: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    """How much denser the rim is than the bone before it explains, HU; and each ray's weight.

    How bone blurs into the rim is learned from the head itself: the rim's CT number as a function
    of how steeply and how high bone rises, and of brain's own CT number and height.
    """
    rim, seen = rays.mean(within_mm), rays.seen
    blunt, up = rays.blunt_mm, _directions()[..., 2]
    near, middle, far = (rays.at(-mm) / _TABLE_HU for mm in _BONE_MM)
    of_bone = [blunt, blunt**2, blunt**3, near, middle, far, near**2, middle**2, near * middle]
    terms: list[FloatArray] = [*of_bone, rays.mean(_BRAIN_MM), up.astype(np.float32)]
    basis = np.stack([*terms, terms[-1] ** 2], axis=-1)
    basis = (basis - basis[seen].mean(axis=0)) / (basis[seen].std(axis=0) + 1e-6)
    basis = np.concatenate([np.ones((*seen.shape, 1)), basis], axis=-1).astype(np.float32)
    known, wanted = basis[seen], rim[seen]
    share = np.zeros(basis.shape[-1])
    share[0] = np.median(wanted)
    for _ in range(12):
        residual = ((known * share).sum(axis=-1) - wanted).astype(np.float32)
        share = share + robust_step(residual, known, _OUTLIER_HU, 0.01)
    excess = np.where(seen, rim - (basis * share).sum(axis=-1), 0)
    # A blunt table, where slices graze the skull, tells less.
    edges = np.quantile(blunt[seen], np.linspace(0, 1, 9))
    group = np.clip(np.searchsorted(edges, blunt) - 1, 0, 7)
    noise = np.array([_spread(excess[seen & (group == one)]) for one in range(8)])
    weight = np.where(seen, 1 / (noise[group] ** 2 + 4), 0)
    return np.clip(excess, -_MOST_HU, _MOST_HU).astype(np.float32), weight.astype(np.float32)


def _spread(values: NDArray[np.floating]) -> float:
    """Standard deviation that outliers hardly change; not less than 0.5."""
    if not values.size:
        return 1.0
    return max(0.5, 1.48 * float(np.median(np.abs(values - np.median(values)))))


def _over_patches(values: FloatArray, weight: FloatArray) -> FloatArray:
    """Weighted means over patches of the vault; 0 where too few rays were seen."""
    from scipy import ndimage

    up = np.arcsin(_directions()[0, :, 2])
    sigma = _PATCH_MM / (70 * np.deg2rad(_STEP_DEGREES))
    sums = []
    for field in (values * weight, weight, (weight > 0).astype(np.float32)):
        rows = ndimage.gaussian_filter1d(field, sigma, axis=1, mode="constant")
        for level, angle in enumerate(up):
            rows[:, level] = ndimage.gaussian_filter1d(
                rows[:, level], sigma / np.cos(angle), mode="wrap"
            )
        sums.append(rows)
    total, weights, seen = sums
    return np.where(seen > _LEAST_SEEN, total / np.maximum(weights, 1e-9), 0)
