"""One simulated head as a Volume in memory: for tests of other rooms, and for trying one."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.random import SeedSequence

from hemocast.simulate.disease.head import Person, Stroke, build_head
from hemocast.simulate.scanner.detector import Protocol
from hemocast.simulate.scanner.scan import scan_head
from hemocast.volume import Source, Volume


def render_head(
    seed: int = 0,
    person: Person | None = None,
    stroke: Stroke | None = None,
    *,
    protocol: Protocol | None = None,
    noise: bool = True,
) -> Volume:
    """Render one head in memory.

    Parameters
    ----------
    seed : int
        The same seed gives the same head (and pose and noise), whatever else is asked.
    person : Person or None
        Whose head; by default a man of 65.
    stroke : Stroke or None
        ``Stroke(Infarct("MCA", "left", 80.0))``, say.
    protocol : Protocol or None
        Matrix, pose, thickness, noise; even slices, without tilt. By default upright, 256 x 256,
        5 mm.
    noise : bool
        False for exact measurements.

    Returns
    -------
    Volume
        With `source.kind` ``"array"`` and `source.simulated`.

    Raises
    ------
    ValueError
        The protocol has a gantry tilt, or slices of two thicknesses: such a scan is no Volume
        before it is resampled.
    """
    person, protocol = person or Person(), protocol or Protocol()
    if protocol.tilt_degrees or protocol.mixed:
        raise ValueError(
            "a Volume has no gantry tilt, and even slices; write the scan as DICOM instead"
        )
    head = build_head(np.random.default_rng(SeedSequence([seed, 2])), person, stroke)
    rng = np.random.default_rng(SeedSequence([seed, 3])) if noise else None
    frames = scan_head(head, protocol, rng)
    name = hashlib.sha256(repr((seed, person, stroke)).encode()).hexdigest()
    source = Source("array", name, n_files=len(frames.hu), simulated=True)
    return Volume(frames.hu, frames.affine, ((),) * len(frames.hu), source)
