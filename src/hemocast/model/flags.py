"""Reasons for doubt about one prediction, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hemocast.model.features import measure_features
from hemocast.model.schema import Description, InputRange
from hemocast.volume import Stack, Volume

FAR = 4.0
"""Standard deviations from the training scans, and from real heads, at which a plain fact is called
unusual: it must be far from both."""
REAL_HU = ((30.9, 2.0), (7.9, 0.75))
"""Mean and standard deviation, over four real heads, of the mean and
of the spread of the CT numbers within the brain, HU, in a window of 10 to 50 HU. Models may have
learned from simulated heads, which differ less from each other than real ones do."""
REAL_ML = (1450.0, 150.0)
"""Mean and standard deviation of an adult's inside of the skull, mL."""
BRAIN_ML = (850.0, 2100.0)
"""Volumes of brain with its fluid spaces outside of which an adult's hardly lies, mL."""
CUT_MM = 15.0
"""Three frames of 5 mm: of a tall head the medulla and the tonsils of the cerebellum lie there."""
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
    stack: Stack, says: Description, interval: tuple[float, float], volume: Volume | None
) -> tuple[str, ...]:
    """Return the doubts of reading and preparation, then what a few plain checks add.

    Parameters
    ----------
    stack : Stack
        What the network saw.
    says : Description
        Of the model: its window, and what is usual among its training scans.
    interval : tuple of float
        Of the calibration curve at the logit.
    volume : Volume or None
        What the stack was made from.
    """
    found = (
        ["the scan is simulated: it shows no patient"] if volume and volume.source.simulated else []
    )
    found += [*(volume.source.doubts if volume else ()), *stack.record.doubts]
    record = stack.record
    if not BRAIN_ML[0] <= record.brain_ml <= BRAIN_ML[1]:
        found.append(f"brain volume of {record.brain_ml:.0f} mL is unusual for an adult")
    if record.brain_cut_mm > CUT_MM:
        found.append(f"{record.brain_cut_mm:.0f} mm of the lowest brain were not seen by the model")
    if says.gate is None:
        found += _far_from_usual(stack, says)
    elif doubt := says.gate.doubt(measure_features(stack, says.prepare.window)):
        found.append(doubt)
    if interval[1] - interval[0] > WIDE:
        found.append("the calibration curve is uncertain at this score")
    return tuple(dict.fromkeys(found))


def _far_from_usual(stack: Stack, says: Description) -> list[str]:
    """Return the plain facts that are far both from the training scans and from real heads."""
    low, high = says.prepare.window_low, says.prepare.window_high
    width = high - low
    stack_ml = stack.brain.size * float(np.prod(stack.spacing)) / 1000
    (level, level_sd), (spread, spread_sd) = REAL_HU
    usual = says.input_range
    facts = (
        ("mean brain intensity", usual.intensity, ((level - low) / width, level_sd / width)),
        ("spread of the brain's intensity", usual.contrast, (spread / width, spread_sd / width)),
        ("extent of the brain", usual.extent, (REAL_ML[0] / stack_ml, REAL_ML[1] / stack_ml)),
    )
    found = []
    for value, (name, *ranges) in zip(measure(stack), facts, strict=True):
        far = min(abs(value - mean) / max(sd, 0.02 * abs(mean), 1e-6) for mean, sd in ranges)
        if far > FAR:
            found.append(f"{name} is {far:.0f} standard deviations from trained and real heads")
    return found
