"""The tissue map: what every block of 3 mm of a head scan holds, by a network without torch.

The network learned from simulated heads randomised far beyond realism (its card lies beside its
weights), as SynthSeg (Billot 2023, 10.1016/j.media.2023.102789) and SynthStrip (Hoopes 2022,
10.1016/j.neuroimage.2022.119474) did. It finds; it refuses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from importlib import resources

import numpy as np

from hemocast.anatomy.grid import bounding_box, linear_weights, weighed
from hemocast.anatomy.tissue.blocks import AIR_HU, Blocks, channels, padded, to_blocks
from hemocast.onnx import Session
from hemocast.volume import FloatArray, Volume

BONE_HU = 150.0
# Where a part of the vault is missing the brain may lie outside the box of the bone.
_MARGIN_BLOCKS = (3, 5, 5)


class Kind(IntEnum):
    """A kind of tissue; the number is its channel in the map."""

    BACKGROUND = 0
    SOFT = 1
    BONE = 2
    BRAIN = 3
    FLUID = 4
    VENTRICLE = 5
    ACUTE = 6
    OLD_INFARCT = 7
    BLOOD = 8
    CALCIUM = 9
    VESSEL = 10
    DURA = 11
    METAL = 12


@dataclass(frozen=True)
class TissueMap:
    """What the blocks of a scan hold.

    Parameters
    ----------
    blocks : Blocks
        The scan on blocks of 3 mm, in the Volume's axes.
    kinds : ndarray of float32, shape (kinds, z, y, x)
        Probability of every `Kind`.
    inside : ndarray of float32, shape (z, y, x)
        Probability of lying inside the dura, above the foramen magnum.
    """

    blocks: Blocks
    kinds: FloatArray
    inside: FloatArray

    def at_voxels(
        self, values: FloatArray, shape: tuple[int, ...], first: tuple[float, ...] = (0, 0, 0),
        step: tuple[float, ...] = (1, 1, 1),
    ) -> FloatArray:  # fmt: skip
        """Interpolate a map linearly on a grid along the Volume's axes.

        Parameters
        ----------
        values : ndarray of float32, shape (z, y, x)
            A map on the blocks.
        shape : tuple of int
            Points wanted.
        first, step : tuple of float
            Place of the first point and distance between points, in voxels of the Volume.
        """
        for axis in range(3):
            low = (self.blocks.first[axis] - first[axis]) / step[axis]
            places = (np.arange(shape[axis]) - low) / (self.blocks.step[axis] / step[axis])
            values = weighed(values, linear_weights(places, values.shape[axis]), axis)
        return values


def map_tissue(volume: Volume) -> TissueMap:
    """Map the tissue of a head scan.

    Parameters
    ----------
    volume : Volume
        The scan, lying in any way.
    """
    blocks = to_blocks(volume)
    box = _round_the_head(blocks.hu)
    hu, where = padded(blocks.hu[box], AIR_HU)
    logits = _session().map(channels(hu)[None])[0][:, *where]
    kinds = np.zeros((len(Kind), *blocks.hu.shape), np.float32)
    kinds[Kind.BACKGROUND] = 1
    likely = kinds[:, *box]
    np.subtract(logits[:-1], logits[:-1].max(axis=0), out=likely)
    np.exp(likely, out=likely)
    likely /= likely.sum(axis=0)
    inside = np.zeros(blocks.hu.shape, np.float32)
    inside[box] = 1 / (1 + np.exp(-np.clip(logits[-1], -30, 30)))
    return TissueMap(blocks, kinds, inside)


def _round_the_head(hu: FloatArray) -> tuple[slice, slice, slice]:
    """Return the box round the largest piece of bone: air and holder cost time and say nothing."""
    from scipy import ndimage

    labels, n = ndimage.label(hu > BONE_HU, np.ones((3, 3, 3)))
    if n == 0:
        return slice(None), slice(None), slice(None)
    largest = int(np.bincount(labels.ravel())[1:].argmax()) + 1
    return bounding_box(labels == largest, _MARGIN_BLOCKS)


@lru_cache(maxsize=1)
def _session() -> Session:
    folder = resources.files("hemocast") / "assets" / "tissue_model"
    return Session((folder / "tissue.onnx").read_bytes())
