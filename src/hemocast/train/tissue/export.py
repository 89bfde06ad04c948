"""The trained network as ONNX bytes that `hemocast.onnx` accepts, proved to say the same."""

from __future__ import annotations

import numpy as np

from hemocast.errors import ParityError
from hemocast.onnx import Session
from hemocast.train.tissue.network import CHANNELS, TissueNet

TOLERANCE = 1e-3
"""Largest accepted difference of a logit between torch and ONNX Runtime."""


def export(net: TissueNet) -> bytes:
    """Export the network for scans of any size.

    Parameters
    ----------
    net : TissueNet
        Trained.

    Returns
    -------
    bytes
        Input ``scan`` (1, channels, z, y, x), output ``map`` (1, outputs, z, y, x).

    Raises
    ------
    ParityError
        ONNX Runtime says something else than torch.
    """
    import torch

    from hemocast.model.export import exported

    net = net.eval()
    size = {2 + axis: torch.export.Dim(f"cells{axis}", min=2, max=40) * 8 for axis in range(3)}
    content = exported(net, torch.zeros(1, CHANNELS, 32, 40, 24), (size,), (["scan"], ["map"]))
    _check(net, content)
    return content


def _check(net: TissueNet, content: bytes) -> None:
    import torch

    session = Session(content, threads=1)
    rng = np.random.default_rng(0)
    for size in ((32, 40, 24), (48, 72, 64)):
        scan = rng.uniform(-1, 1, (1, CHANNELS, *size)).astype(np.float32)
        with torch.inference_mode():
            said = net(torch.from_numpy(scan)).numpy()
        off = float(np.abs(said - session.map(scan)).max())
        if not off <= TOLERANCE:
            raise ParityError(
                f"The exported tissue map differs from the trained one by {off:.2g}",
                f"at most {TOLERANCE:g}",
                "Report this with the versions of torch and onnxruntime",
            )
