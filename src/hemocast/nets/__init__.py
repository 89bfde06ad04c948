"""Stack -> logit: the residual blocks and CTNet (extra `train`).

`build` imports torch when it is called, so that importing this room costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hemocast.config import NetConfig
    from hemocast.nets.ctnet import CTNet

__all__ = ["build"]


def build(config: NetConfig, frames: int = 28) -> CTNet:
    """Make the network the settings name, with fresh weights from torch's global generator.

    Parameters
    ----------
    config : NetConfig
        ``config.name`` picks the builder.
    frames : int
        Frames of a stack; 28 in the paper.

    Returns
    -------
    CTNet
        ``forward(x)``: x float32 (B, frames, H, W) in [0, 1] -> logit (B,), last feature map
        (B, C, D, h, w) or, for ``ctnet2d``, (B, C, h, w).

    Raises
    ------
    MissingExtra
        Torch is not installed.
    """
    from hemocast.errors import MissingExtra

    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtra(
            "The networks need torch, which is not installed",
            "the extra `train`",
            'Install it with: pip install "hemocast[train]"',
        ) from error
    from hemocast.nets.ctnet import BUILDERS

    return BUILDERS[config.name](config, frames)
