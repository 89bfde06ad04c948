"""The trained network as ONNX bytes that `hemocast.onnx` accepts, proved to say the same."""

from __future__ import annotations

import io
import logging
import warnings

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

    from hemocast.model.export import stripped

    net = net.eval()
    size = {2 + axis: torch.export.Dim(f"cells{axis}", min=2, max=40) * 8 for axis in range(3)}
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                net, (torch.zeros(1, CHANNELS, 32, 40, 24),), dynamo=True, dynamic_shapes=(size,),
                input_names=["scan"], output_names=["map"], verbose=False,
            )  # fmt: skip
    finally:
        logger.setLevel(level)
    assert program is not None  # noqa: S101 - only the legacy exporter returns None
    buffer = io.BytesIO()
    program.save(buffer, external_data=False)  # type: ignore[arg-type]
    content = stripped(buffer.getvalue())
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
