"""A pre-trained encoder as the network that measures infarcts, without torch at prediction."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from hemocast.config import PrepareConfig
from hemocast.errors import ParityError
from hemocast.model.export import exported, with_steady_norms
from hemocast.nets import build
from hemocast.nets.hemispheres import Hemispheres
from hemocast.onnx import Session
from hemocast.train.pretrain.encoder import read_about, read_encoder
from hemocast.volume import FloatArray

TOLERANCE = 1e-3
"""Largest accepted difference between torch and ONNX Runtime, of a logit or a finding."""


class Reader(nn.Module):
    """What an encoder reads off scans: outline, findings and side, the means of its members.

    Parameters
    ----------
    net : Hemispheres
        With its weights.
    """

    def __init__(self, net: Hemispheres) -> None:
        super().__init__()
        self.net = net

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return outline (B, 2, frames, h, columns) and side (B,) as logits, findings (B, n)."""
        readings = self.net.readings(self.net.inputs(frames))
        parts = zip(*((one.outline, one.findings, one.side) for one in readings), strict=True)
        outline, findings, side = (torch.stack(part).mean(0) for part in parts)
        return outline, findings, side


def export_reader(folder: Path, examples: FloatArray) -> bytes:
    """Export an encoder.

    Parameters
    ----------
    folder : Path
        As ``hemocast pretrain`` made it.
    examples : ndarray of float32, shape (n, frames, H, W)
        Stacks to compare on.

    Returns
    -------
    bytes
        Input ``frames`` (batch, frames, H, W); outputs as `Reader` gives them.

    Raises
    ------
    ModelNotFound, ModelCorrupt
        There is no such encoder.
    ParityError
        ONNX Runtime says something else than torch.
    """
    settings = PrepareConfig()
    net = cast("Hemispheres", build(read_about(folder).net, settings.frames, settings.window))
    read_encoder(folder, net)
    return export(net, examples)


def export(net: Hemispheres, examples: FloatArray) -> bytes:
    """Export a network with its weights, as `export_reader` does."""
    reader = Reader(net).eval()
    content = exported(
        with_steady_norms(reader),
        torch.zeros((2, *examples.shape[1:])),
        ({0: torch.export.Dim("batch", min=1)},),
        (["frames"], ["outline", "findings", "side"]),
    )
    session = Session(content, threads=1)
    for one in examples:
        with torch.inference_mode():
            said = [part.numpy() for part in reader(torch.from_numpy(one[None]))]
        off = max(
            float(np.abs(a - b).max()) for a, b in zip(said, session.read(one[None]), strict=True)
        )
        if not off <= TOLERANCE:  # also catches NaN
            raise ParityError(
                f"The exported network differs from the encoder by {off:.2g}",
                f"at most {TOLERANCE:g}",
                "Report this with the versions of torch and onnxruntime",
            )
    return content
