"""Which way a head lies against its header's axes, and whether left and right are known.

A header can be wrong: converters swap and flip axes. A rotation and a reflection then look alike,
for a head is nearly its own mirror image. So the header is believed about left and right only where
anatomy agrees with it to within 45 degrees. Beyond that the patient may truly lie so, or the header
be wrong: the head is set upright, and left and right are said to be not known. What no patient does
is refused: a face turned by more than 75 degrees from the front, a vertex more than 60 from where
the header has it. A plain mirror image, left for right, fits its header and cannot be seen.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from hemocast.anatomy.fields import rotation
from hemocast.errors import WrongOrientation

Rotation = NDArray[np.float64]

KNOWN_DEGREES = 45.0
"""Up to this angle between header and anatomy, left and right are known."""
LARGEST_TURN_DEGREES = 75.0
"""Of the face from the front, about the head's own axis; 60 with a nod and a tilt of 40 make 73."""
LARGEST_LEAN_DEGREES = 60.0
"""Of the vertex from above: a nod and a tilt of 40 degrees each make 54."""
SIDES_UNKNOWN = (
    f"the head lies more than {KNOWN_DEGREES:.0f} degrees from how its header says: left and right "
    "are not known"
)
_LYING_DEGREES = (-35.0, 0.0, 35.0)
_TURNED_DEGREES = (-45.0, 0.0, 45.0)


@lru_cache(maxsize=1)
def starts() -> NDArray[np.float64]:
    """Give rotations, (n, 3, 3), from which to look for a head's pose.

    The 24 ways to name three axes; and, closer together, heads that lie nodded, tilted or turned.
    """
    axes = [
        np.eye(3)[list(order)] * signs
        for order in permutations(range(3))
        for signs in product((1.0, -1.0), repeat=3)
    ]
    named = [turn for turn in axes if np.linalg.det(turn) > 0]
    lying = [
        rotation(np.deg2rad([0, 0, turned])) @ rotation(np.deg2rad([nod, tilt, 0]))
        for nod, tilt, turned in product(_LYING_DEGREES, _LYING_DEGREES, _TURNED_DEGREES)
        if (nod, tilt, turned) != (0, 0, 0)
    ]
    return np.stack(named + lying)


def rotation_angle(matrix: Rotation) -> float:
    """Angle of a rotation matrix (3, 3), degrees."""
    return float(np.rad2deg(np.arccos(np.clip((np.trace(matrix) - 1) / 2, -1, 1))))


def turn_and_lean(upright: Rotation) -> tuple[float, float]:
    """Split a pose into the head's turn about its own axis and the lean of that axis, degrees.

    Parameters
    ----------
    upright : ndarray, shape (3, 3)
        The head's axes (RAS) as columns in the header's axes (RAS).
    """
    lean = float(np.arccos(np.clip(upright[2, 2], -1, 1)))
    # The swing that brings the header's vertex to the head's; what remains turns about the vertex.
    across = np.array([-upright[1, 2], upright[0, 2], 0.0])
    length = float(np.linalg.norm(across))
    if length > 1e-9:
        swing = rotation(across / length * lean)
    else:
        swing = np.diag([1.0, upright[2, 2], upright[2, 2]])
    left = swing.T @ upright
    return float(np.rad2deg(np.arctan2(left[1, 0], left[0, 0]))), float(np.rad2deg(lean))


def left_and_right_known(upright: Rotation) -> bool:
    """Tell whether the header can be believed about left and right.

    Parameters
    ----------
    upright : ndarray, shape (3, 3)
        As for `turn_and_lean`.

    Raises
    ------
    WrongOrientation
        No patient lies so: the header's axes are not the head's.
    """
    turn, lean = turn_and_lean(upright)
    if abs(turn) > LARGEST_TURN_DEGREES or lean > LARGEST_LEAN_DEGREES:
        raise WrongOrientation(
            f"By its anatomy the head lies with its vertex {_towards(upright[:, 2])} and its face "
            f"{_towards(upright[:, 1])} in the header's axes: the header's orientation is wrong, "
            "and left and right are not known",
            f"a face within {LARGEST_TURN_DEGREES:.0f} degrees of the front and a vertex within "
            f"{LARGEST_LEAN_DEGREES:.0f} of above",
            "Correct the orientation in the header, or convert the scanner's own files again",
        )
    return rotation_angle(upright) <= KNOWN_DEGREES


def _towards(direction: NDArray[np.float64]) -> str:
    """Name the header's axis that a direction is nearest to; sides are not told apart."""
    axis = int(np.abs(direction).argmax())
    front_or_back, up_or_down = ("to the back", "to the front"), ("below", "above")
    return (("to a side",) * 2, front_or_back, up_or_down)[axis][int(direction[axis] > 0)]
