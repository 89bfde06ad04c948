"""The class activation map of a network in torch, and where it lies on simulated infarcts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hemocast.explain import Evidence, evidence_on
from hemocast.model.heatmap import activation_map, enlarge
from hemocast.stats import Estimate, wilson
from hemocast.train.pretrain.findings import STACKS, FindingsTable
from hemocast.volume import BoolArray, FloatArray, Stack, StackRecord, from_levels

if TYPE_CHECKING:
    from hemocast.nets import Network
    from hemocast.train import StackTable

MOST_SCANS = 200
"""Scans with HT that a network's maps are measured on."""
PEAK, SHARE = "peak_on_infarct", "evidence_on_infarct"
"""What is measured of maps."""

_NONE, _ONE = "no scan with HT and an infarct", "one scan has no spread"
_RECORD = StackRecord("a" * 64, "b" * 64, (0, 0, 0), (0, 0, 0), 1300.0, 0, 0, 0.0)
_FRAME_MM = 5.0


def network_map(net: Network, stack: Stack) -> FloatArray:
    """Return the class activation map (Zhou 2016, 10.1109/CVPR.2016.319) within the brain.

    Parameters
    ----------
    net : Network
        In evaluation, on the CPU.
    stack : Stack
        What it sees.

    Returns
    -------
    ndarray of float32, shape (28, H, W)
        In logit units, positive for HT.
    """
    import torch

    with torch.inference_mode():
        maps = net(torch.from_numpy(stack.frames)[None])[1][0].numpy()
    weights = net.head.weight.detach().numpy().reshape(-1)
    values = enlarge(activation_map(maps, weights), stack.frames.shape, net.map_grid)
    cut: FloatArray = np.where(stack.brain, values, np.float32(0))
    return cut


def evidence_of_network(
    net: Network, table: StackTable, findings: FindingsTable
) -> dict[str, Estimate]:
    """Measure a network's maps on the first scans of patients with HT, `MOST_SCANS` of them.

    Parameters
    ----------
    net : Network
        In evaluation, on the CPU.
    table : StackTable
        Whose scans.
    findings : FindingsTable
        Of the same cohort: where the infarcts are.

    Returns
    -------
    dict of str to Estimate
        `PEAK`: share of scans whose map is greatest on the infarct, grown by 5 mm (Wilson).
        `SHARE`: mean share of the positive evidence there (normal limits). One scan a patient.
    """
    found = _evidence(net, table, findings)
    return {PEAK: peak_hits(found), SHARE: mean_share([one.on_lesion for one in found])}


def peak_hits(found: Sequence[Evidence]) -> Estimate:
    """Give the share of maps that are greatest on the infarct, with Wilson's limits."""
    n = len(found)
    if n == 0:
        return Estimate.bare(float("nan"), 0, _NONE)
    hits = sum(one.peak_hits for one in found)
    return Estimate(hits / n, *wilson(hits, n), "Wilson", n)


def mean_share(shares: Sequence[float]) -> Estimate:
    """Give the mean of shares, with 1.96 standard errors on either side."""
    n = len(shares)
    if n < 2:
        return Estimate.bare(shares[0], 1, _ONE) if n else Estimate.bare(float("nan"), 0, _NONE)
    mean, reach = float(np.mean(shares)), 1.96 * float(np.std(shares, ddof=1)) / n**0.5
    return Estimate(mean, mean - reach, mean + reach, "normal", n)


def _evidence(net: Network, table: StackTable, findings: FindingsTable) -> list[Evidence]:
    from scipy import ndimage

    stacks = findings.open(STACKS)
    seen: set[str] = set()
    found = []
    for patient, label, row in zip(table.participant_id, table.label, table.rows, strict=True):
        if label != 1 or patient in seen or len(seen) >= MOST_SCANS:
            continue
        seen.add(patient)
        frames, lesion = from_levels(stacks[row]), findings.infarct(row)
        brain: BoolArray = np.stack([ndimage.binary_fill_holes(frame > 0) for frame in frames])
        if lesion.any() and brain.any():
            stack = Stack(frames, brain, _affine(frames), _RECORD)
            found.append(evidence_on(network_map(net, stack), lesion, stack))
    return found


def _affine(frames: FloatArray) -> NDArray[np.float64]:
    """Place pixels of 1 mm and frames of 5 mm about the middle, as simulated stacks have them."""
    _, height, width = frames.shape
    affine = np.diag([-1.0, -1.0, _FRAME_MM, 1.0]).astype(np.float64)
    affine[:2, 3] = width / 2, height / 2
    return affine
