"""What a scanner makes of CT numbers beside noise: calibration, shading, the rim under the bone.

No scanner gives the same tissue the same number everywhere. Calibration and tube voltage move and
stretch the scale; what beam hardening correction and scatter leave darkens or brightens the middle
of the head (cupping), its front, and a rim under the bone (pseudo-enhancement and the kernel's far
tails). The kinds are as every textbook of CT has them (Barrett and Keat 2004,
10.1148/rg.246045065); the amounts are ours, set so that simulated heads spread as four real ones
do (docs/lab/simulator.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from hemocast.simulate.anatomy.atlas import DISTANCE_STEP, DISTANCE_ZERO
from hemocast.simulate.anatomy.shape import field_axes, smooth_noise
from hemocast.volume import FloatArray

MIDDLE_HU = np.float32(30)
"""CT number about which the contrast is stretched: it stays."""

SOFT_FROM_HU = np.float32(-500)
"""Air below this is left alone."""

BROAD_MM, FINE_MM = 44.0, 16.0
"""Distance between the controls of the two random maps, mm."""


@dataclass(frozen=True)
class Response:
    """What a scanner makes of the CT numbers of one head; by default, nothing.

    Parameters
    ----------
    offset_hu : float
        Added to all of the head.
    contrast : float
        By which differences from 30 HU are stretched, as lower tube voltages do.
    cupping_hu : float
        How much darker the middle of the head is than its surface; negative for brighter.
    front_hu : float
        How much darker the forehead is than the back of the head.
    rim_hu, rim_mm : float
        Brightening at the inner table, and the depth at which a third of it is left.
    broad_hu, fine_hu : float
        Standard deviations of two smooth random maps.
    seed : int
        Of the random maps.
    """

    offset_hu: float = 0.0
    contrast: float = 1.0
    cupping_hu: float = 0.0
    front_hu: float = 0.0
    rim_hu: float = 0.0
    rim_mm: float = 3.0
    broad_hu: float = 0.0
    fine_hu: float = 0.0
    seed: int = 0


NEUTRAL = Response()
"""A scanner that measures what is there."""


def draw_response(rng: Generator) -> Response:
    """Draw what one scanner makes of one head."""
    rim = float(np.exp(rng.normal(np.log(7), 1.05)))
    return Response(
        offset_hu=float(rng.normal(0.2, 1.4)),
        contrast=float(np.exp(rng.normal(0.07, 0.09))),
        # Beam hardening that is left over darkens the middle and brightens the rim.
        cupping_hu=float(rng.normal(-0.5, 3.2) + 0.2 * min(rim, 40)),
        front_hu=float(rng.normal(1.2, 1.1)),
        rim_hu=min(rim, 45.0),
        rim_mm=float(np.exp(rng.normal(np.log(3.8), 0.35))),
        broad_hu=float(rng.uniform(0.6, 2.0)),
        fine_hu=float(rng.uniform(0.4, 1.9)),
        seed=int(rng.integers(2**32)),
    )


def shading(response: Response) -> FloatArray:
    """Return what a scanner adds by place, HU, on the 4 mm grid of `Shape`."""
    z, y, x = field_axes()
    radius = (x / np.float32(68)) ** 2 + ((y + 18) / np.float32(86)) ** 2
    flat = np.float32(response.cupping_hu) * (radius - np.float32(0.5))
    flat += np.float32(response.offset_hu) - np.float32(response.front_hu / 172) * (y + 18)
    out: FloatArray = np.repeat(flat, z.size, axis=0)
    rng = np.random.default_rng(response.seed)
    for spread, scale in ((response.broad_hu, BROAD_MM), (response.fine_hu, FINE_MM)):
        if spread:
            out += np.float32(spread) * smooth_noise(rng, scale)[0]
    return out


def rim_table(response: Response, gap_mm: float) -> FloatArray:
    """Return what a scanner adds under the bone, HU, by the count of `Atlas.distance`, (256,).

    Parameters
    ----------
    response : Response
        The scanner's.
    gap_mm : float
        Fluid between brain and skull, mm.
    """
    depth = gap_mm - (np.arange(256) - DISTANCE_ZERO) * DISTANCE_STEP
    rim = np.where(depth >= 0, response.rim_hu * np.exp(-depth / response.rim_mm), 0)
    return np.asarray(rim, np.float32)
