"""Reasons for doubt about one prediction, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hemocast.model.schema import InputRange
from hemocast.volume import Stack, Volume

FAR = 4.0
"""Standard deviations from the training scans at which a plain fact is called unusual."""
BRAIN_ML = (850.0, 2100.0)
"""Volumes of brain with its fluid spaces outside of which an adult's hardly lies, mL."""
CUT_MM = 10.0
WIDE = 0.6


def measure(stack: Stack) -> tuple[float, float, float]:
    """Return mean and standard deviation of the intensity over the brain, and its extent."""
    inside = stack.frames[stack.brain]
    if inside.size == 0:
        return 0.0, 0.0, 0.0
    return float(inside.mean()), float(inside.std()), float(stack.brain.mean())


def input_range(stacks: Sequence[Stack]) -> InputRange:
    """Return what is usual among the training stacks."""
    facts = np.array([measure(stack) for stack in stacks])
    pairs = zip(facts.mean(0).tolist(), facts.std(0).tolist(), strict=True)
    intensity, contrast, extent = pairs
    return InputRange(intensity=intensity, contrast=contrast, extent=extent)


def flags(
    stack: Stack, usual: InputRange, interval: tuple[float, float], volume: Volume | None
) -> tuple[str, ...]:
    """Return the doubts of reading and preparation, then what a few plain checks add."""
    found = (
        ["the scan is simulated: it shows no patient"] if volume and volume.source.simulated else []
    )
    found += [*(volume.source.doubts if volume else ()), *stack.record.doubts]
    record = stack.record
    if not BRAIN_ML[0] <= record.brain_ml <= BRAIN_ML[1]:
        found.append(f"brain volume of {record.brain_ml:.0f} mL is unusual for an adult")
    if record.brain_cut_mm > CUT_MM:
        found.append(f"{record.brain_cut_mm:.0f} mm of the lowest brain were not seen by the model")
    names = ("mean brain intensity", "spread of the brain's intensity", "extent of the brain")
    ranges = (usual.intensity, usual.contrast, usual.extent)
    for name, value, (mean, spread) in zip(names, measure(stack), ranges, strict=True):
        far = abs(value - mean) / max(spread, 0.02 * abs(mean), 1e-6)
        if far > FAR:
            found.append(f"{name} is {far:.0f} standard deviations from the training scans")
    if interval[1] - interval[0] > WIDE:
        found.append("the calibration is uncertain at this logit")
    return tuple(dict.fromkeys(found))
