"""Parts of one scan that came as several DICOM series -> one stack, where they surely fit.

Two ways of parting are known: a base and a vertex as two series, end to end; and a series UID for
every slice, or for every few. What does not fit is left as it is: a part alone is judged by how
much of a head it covers. Two time points, or two reconstructions, are never joined.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from hemocast.dicom.geometry.slices import GAP_MM, SAME_PLACE_MM
from hemocast.dicom.header.image import Image
from hemocast.dicom.series.exclusion import (
    MIN_SLICES,
    axial_normal,
    coverage_mm,
    exclusion_of,
    heights,
)
from hemocast.dicom.series.found import Series
from hemocast.left_out import LeftOutCode

Vector = NDArray[np.float64]

MOST_APART = timedelta(minutes=10)
"""Between the parts of one examination; a repeated scan after motion comes soon, but overlaps."""
MOST_HEAD_MM = 300.0
MOST_OVERLAP = 3  # slices: some protocols scan the border twice
MOST_ASIDE_MM = 5.0


def merge_slivers(series: Sequence[list[Image]]) -> list[list[Image]]:
    """Give the images of three or more short series as one, where number and name are the same.

    Some archives and anonymisers give every slice a series UID of its own. What differs between
    them (grid, kernel, orientation) still parts the stack afterwards; what was acquired more than
    ten minutes later is another time point and stays apart.

    Parameters
    ----------
    series : sequence of list of Image
        Of one study, one list for each series UID.
    """
    whole, slivers = [], defaultdict(list)
    for images in series:
        first = images[0]
        if len(images) < MIN_SLICES and first.pixels.n_frames == 1:
            slivers[first.series_number, first.series_text, first.frame_uid].append(images)
        else:
            whole.append(images)
    for alike in slivers.values():
        for parts in _by_time(alike):
            if len(parts) > 2:
                whole.append([image for images in parts for image in images])
            else:
                whole += parts
    return whole


def _by_time(parts: list[list[Image]]) -> list[list[list[Image]]]:
    """Part what was acquired more than `MOST_APART` after the one before."""
    groups: list[list[list[Image]]] = []
    last = None
    for images in sorted(parts, key=lambda images: images[0].acquired):
        when = Series(tuple(images)).acquired
        apart = last is not None and when is not None and when - last > MOST_APART
        if apart or not groups:
            groups.append([])
        groups[-1].append(images)
        last = when or last
    return groups


def join_halves(stacks: list[Series]) -> list[Series]:
    """Join each two stacks of one study that lie end to end, where no third fits as well.

    Parameters
    ----------
    stacks : list of Series
        Of one study, from `split_stacks`.
    """
    usable = [stack for stack in stacks if _may_be_part(stack)]
    fitting = [(one, other) for one, other in combinations(usable, 2) if _fit(one, other)]
    left = list(stacks)
    for one, other in fitting:
        others = [pair for pair in fitting if pair != (one, other)]
        if any(one in pair or other in pair for pair in others):
            continue
        left = [stack for stack in left if stack is not one and stack is not other]
        left.append(_together(one, other))
    return left


def _may_be_part(stack: Series) -> bool:
    exclusion = exclusion_of(stack)
    return exclusion is None or exclusion.code is LeftOutCode.TOO_FEW_SLICES


def _fit(one: Series, other: Series) -> bool:
    """Tell whether two stacks are parts of one scan, one above the other."""
    a, b = one.first, other.first
    if a.series_uid == b.series_uid or _kind(a) != _kind(b):
        return False
    if not np.allclose(a.orientation or (), b.orientation or (), atol=1e-3):
        return False
    if one.acquired and other.acquired and abs(one.acquired - other.acquired) > MOST_APART:
        return False
    if (one.acquired is None) != (other.acquired is None):
        return False
    normal = axial_normal(one)
    if normal is None:
        return False
    low, high = sorted((one, other), key=lambda stack: min(heights(stack, normal)))
    return _touch(low, high, normal) and coverage_mm(_together(one, other)) <= MOST_HEAD_MM


def _kind(image: Image) -> tuple[object, ...]:
    """What parts of one reconstruction share."""
    return (
        image.frame_uid,
        image.sop_class,
        image.image_type[:3],
        image.kernel,
        image.contrast,
        image.kvp,
        image.manufacturer,
        image.pixels.rows,
        image.pixels.columns,
        tuple(round(v, 3) for v in image.spacing or ()),
    )


def _touch(low: Series, high: Series, normal: Vector) -> bool:
    """Tell whether the upper stack begins where the lower one ends, and straight above it."""
    below, above = _sorted(low, normal), _sorted(high, normal)
    overlap = sum(place <= below[-1][0] + SAME_PLACE_MM for place, _ in above)
    if overlap > MOST_OVERLAP or overlap >= len(above) or above[-1][0] <= below[-1][0]:
        return False
    (top, last), (bottom, first) = below[-1], above[overlap]
    steps = [
        float(np.median(np.diff([place for place, _ in part])))
        for part in (below, above)
        if len(part) > 1
    ]
    thick = [image.thickness for image in (last, first) if image.thickness]
    explained = max([*steps, *([sum(thick) / len(thick)] if thick else [])], default=0.0)
    aside = _aside(first, last, normal) - _lean(below, normal) * (bottom - top)
    return bottom - top <= explained + GAP_MM and float(np.linalg.norm(aside)) <= MOST_ASIDE_MM


def _sorted(stack: Series, normal: Vector) -> list[tuple[float, Image]]:
    places = zip(heights(stack, normal), stack.images, strict=True)
    return sorted(places, key=lambda pair: pair[0])


def _aside(one: Image, other: Image, normal: Vector) -> Vector:
    """From the other image's corner to this one's, within the plane, mm."""
    way: Vector = np.array(one.position, float) - np.array(other.position, float)
    return way - (way @ normal) * normal


def _lean(part: list[tuple[float, Image]], normal: Vector) -> Vector:
    """How far the slices of a tilted stack move in their plane for each mm along the normal."""
    (low, first), (high, last) = part[0], part[-1]
    rise = high - low
    return _aside(last, first, normal) / rise if rise > 0 else np.zeros(3)


def _together(one: Series, other: Series) -> Series:
    """Both as one stack; where they overlap the lower one's slices count."""
    normal = axial_normal(one)
    low, high = sorted((one, other), key=lambda stack: min(heights(stack, normal)))
    top = max(heights(low, normal))
    kept = tuple(
        image
        for place, image in zip(heights(high, normal), high.images, strict=True)
        if place > top + SAME_PLACE_MM
    )
    parts = sorted(
        (low.images, kept), key=lambda part: (part[0].series_number or 0, part[0].series_uid)
    )
    images = (*parts[0], *parts[1])
    return Series(images, one.joined + other.joined, lacking(images))


def lacking(images: Sequence[Image]) -> int:
    """Count the images before the first, where all are numbered in one row that begins late.

    Parameters
    ----------
    images : sequence of Image
        Of a whole series, localizers and all.
    """
    numbers = [image.instance_number for image in images if image.instance_number is not None]
    in_a_row = (
        len(set(numbers)) == len(images) == max(numbers, default=0) - min(numbers, default=0) + 1
    )
    return max(min(numbers) - 1, 0) if in_a_row else 0
