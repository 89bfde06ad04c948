"""The ten regions of ASPECTS on one side.

The Alberta Stroke Program Early CT Score (Barber 2000, 10.1016/S0140-6736(00)02237-6) takes one
point from ten for every region of the middle cerebral artery's territory with early ischemic
change: caudate C, lentiform L, internal capsule IC and insula I, and the cortical M1 to M3 at the
level of the ganglia and M4 to M6 above. The regions here are simple solids in MNI space, ours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hemocast.anatomy.atlas.solids import Points, ellipsoid
from hemocast.volume import BoolArray

REGIONS = ("C", "L", "IC", "I", "M1", "M2", "M3", "M4", "M5", "M6")


def aspects_regions(points: Points, mca: BoolArray) -> NDArray[np.uint8]:
    """Return the ten regions of the right side: 1 to 10 in the order of `REGIONS`, 0 elsewhere.

    Parameters
    ----------
    points : Points
        Of a grid; the left side is the right one mirrored.
    mca : ndarray of bool, shape (z, y, x)
        The territory of the middle cerebral artery.
    """
    z, y, x = points
    caudate = ellipsoid(points, (13, 14, 6), (6, 9, 11)) | ellipsoid(
        points, (16, -2, 20), (5, 14, 6)
    )
    # The capsule: from before the lentiform nucleus to its bend, and back beside the thalamus.
    bent = np.where(y > 2, 14 + 0.3 * (y - 2), 14 - 0.5 * (y - 2))
    capsule = (np.abs(x - bent) < 4) & (y < 20) & (y > -18) & (z > -2) & (z < 18)
    ganglionic, above = (z > -10) & (z <= 20), (z > 20) & (z < 50)
    cortex = mca & (x > 30)
    upper = mca & (x > 22)
    solids = (
        caudate,
        ellipsoid(points, (25, 2, 1), (8, 17, 10)),
        capsule,
        ellipsoid(points, (39, 2, 2), (6, 21, 15)) & (x > 33),
        cortex & ganglionic & (y > 10),
        cortex & ganglionic & (y <= 10) & (y > -22) & (x > 42),
        cortex & ganglionic & (y <= -22) & (y > -62),
        upper & above & (y > 4),
        upper & above & (y <= 4) & (y > -26),
        upper & above & (y <= -26) & (y > -60),
    )
    label = np.zeros(mca.shape, dtype=np.uint8)
    for k, solid in reversed(list(enumerate(solids, start=1))):  # the first wins
        label[np.broadcast_to(solid, label.shape)] = k
    return label
