"""What the tissue at a point of the head measures: CT numbers of a head, before any scanner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hemocast.simulate.anatomy.atlas import (
    DISTANCE_STEP,
    DISTANCE_ZERO,
    load_atlas,
)
from hemocast.simulate.anatomy.shape import Shape
from hemocast.simulate.anatomy.tissue import BLOOD_HU, CSF_HU, Tissue, healthy_hu
from hemocast.simulate.disease.head import Head
from hemocast.simulate.disease.lesion import brain_share
from hemocast.simulate.disease.swelling import swell
from hemocast.simulate.scanner.response import (
    MIDDLE_HU,
    SOFT_FROM_HU,
    Response,
    rim_table,
    shading,
)
from hemocast.volume import FloatArray

BORDER_LOST = 0.15
"""Net water uptake at which cortex and white matter of an infarct look alike; ours. Up to there the
white matter hardly changes and the cortex falls to its level."""

_SKULL_HU = np.interp(
    np.linspace(0, 1, 33), [0, 0.06, 0.25, 0.4, 0.65, 0.8, 0.95, 1],
    [900, 1500, 1400, 1000, 1000, 1450, 1550, 1000],
).astype(np.float32)  # fmt: skip
"""CT number of the skull from its inner to its outer surface: tables with diploe between. Ours, set
so that blurred slices measure what the vault of a real head scanned at 120 kV does."""

_IN_FLUID = Tissue.FALX, Tissue.SINUS_BLOOD, Tissue.VEIN, Tissue.TENTORIUM
"""What lies in the fluid where the brain leaves room for it."""


@dataclass(frozen=True)
class Subject:
    """A head in the scanner: swollen, its infarct and bleed on the whole atlas grid.

    Parameters
    ----------
    head : Head
        As it was built.
    shape : Shape
        Its shape with the swelling.
    infarct, blood : ndarray of uint8 or None
        Shares of the atlas' voxels times 255.
    fluid_hu : ndarray of float32, shape (32,)
        By `Tissue`, the CT number of what lies where the brain leaves room.
    shading : ndarray of float32
        HU that the scanner adds, on the 4 mm grid.
    rim : ndarray of float32, shape (256,)
        HU that it adds under the bone, by the count of `Atlas.distance`.
    contrast : float32
        As of the `Response`.
    """

    head: Head
    shape: Shape
    infarct: NDArray[np.uint8] | None
    blood: NDArray[np.uint8] | None
    fluid_hu: FloatArray
    shading: FloatArray
    rim: FloatArray
    contrast: np.float32


def lay_down(head: Head, response: Response) -> Subject:
    """Bring a head to a scanner."""
    shape = head.shape
    if head.infarct:
        shape = swell(shape, head.infarct, head.edema.shift_mm)
    infarct, blood = (part.on_atlas() if part else None for part in (head.infarct, head.blood))
    fluid = np.full_like(head.tissue_hu, CSF_HU)
    fluid[list(_IN_FLUID)] = head.tissue_hu[list(_IN_FLUID)]
    return Subject(
        head, shape, infarct, blood, fluid, shading(response), rim_table(response, shape.gap),
        np.float32(response.contrast),
    )  # fmt: skip


def measure(
    subject: Subject, at: NDArray[np.intp], own: FloatArray
) -> tuple[FloatArray, FloatArray | None]:
    """Return the CT numbers and the infarct's share of the pixels of one slice.

    Parameters
    ----------
    subject : Subject
        Whose.
    at : ndarray of int, shape (planes, ...)
        Flat atlas voxel of every point; a slice is the mean of its planes.
    own : ndarray of float32, shape (4, ...)
        The head's threshold, pallor (HU) and thickness of skull (mm) there, and the scanner's
        shading (HU).

    Returns
    -------
    hu : ndarray of float32, shape (...)
    infarct : ndarray of float32, shape (...), or None
    """
    atlas = load_atlas()
    tissue = subject.head.tissue.ravel().take(at)
    distance = atlas.distance.ravel().take(at)
    threshold, pallor, thickness, shade = own
    share = brain_share(atlas.level.ravel().take(at), threshold)
    white = atlas.white.ravel().take(at) * np.float32(1 / 255)
    matter = healthy_hu(white, pallor)
    solid = tissue >= Tissue.BONE
    infarct = None
    if subject.infarct is not None:
        water_uptake = subject.head.edema.water_uptake
        part = subject.infarct.ravel().take(at) * np.float32(1 / 255)
        # What is lost of the contrast is turned about the infarct's mean, which stays as asked.
        lost = np.float32(min(water_uptake / BORDER_LOST, 1))
        wet = matter + lost * (np.float32(subject.head.infarct_hu) - matter)
        matter += part * (np.float32(1 - water_uptake) * wet - matter)
        infarct = (part * share * ~solid).mean(axis=0)
    fluid = subject.fluid_hu.take(tissue)
    hu = fluid + share * (matter - fluid)
    if subject.blood is not None:
        part = subject.blood.ravel().take(at) * np.float32(1 / 255)
        hu += part * (BLOOD_HU - hu)
    depth = distance * np.float32(DISTANCE_STEP) - np.float32(
        DISTANCE_ZERO * DISTANCE_STEP + subject.shape.gap
    )
    depth /= thickness
    table = subject.head.tissue_hu.take(tissue)
    bone = _SKULL_HU[np.clip(depth * 32, 0, 32).astype(np.intp)]
    hu = np.where(solid | (depth > 1), table, np.where(depth < 0, hu, bone))
    hu = hu.mean(axis=0)
    soft = hu > SOFT_FROM_HU
    response = subject.rim.take(distance[len(distance) // 2]) + shade
    response += (subject.contrast - 1) * (hu - MIDDLE_HU)
    hu += soft * response
    return hu, infarct
