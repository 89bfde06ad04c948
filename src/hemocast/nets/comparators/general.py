"""General networks of MONAI (extra `compare`): ResNet-10, ResNet-18, DenseNet-121, in 3D or 2D.

MONAI is imported when one is built. Cardoso 2022, 10.48550/arXiv.2211.02701.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from hemocast.config import NetConfig
from hemocast.errors import ConfigError, MissingExtra
from hemocast.nets.blocks import normalisation
from hemocast.nets.comparators.trunk import Comparator

RESNET_WIDTHS = (64, 128, 256, 512)
DENSENET = (6, 12, 24, 16)
FLAT = 32
"""What both divide the picture by: 64 pixels give 2 cells."""


class GeneralNetwork(Comparator):
    """A general network's convolutions between our input layer and our predictor.

    Input: (B, 28, 192, 192), pooled to 64 x 64. With the option ``dims: 2`` (the default) the
    frames are channels; with ``dims: 3`` they are an axis, filled up to a multiple of 32, and a
    step takes two to five times as long.

    Ours: group in place of batch normalisation (batches of 16 and averaged weights need one that
    knows nothing of the batch); fresh weights; the option ``width``, a factor for the features of a
    ResNet.

    Parameters
    ----------
    config : NetConfig
    frames : int
    layers : tuple of int
        Blocks of each stage of a ResNet (basic blocks); four of them.
        Empty: DenseNet-121.
    """

    def __init__(self, config: NetConfig, frames: int, layers: tuple[int, ...] = ()) -> None:
        dims = config.options.get("dims", 2)
        if dims not in (2, 3):
            raise ConfigError(
                f"net.options: dims is {dims!r}",
                "2 (frames are channels) or 3 (frames are an axis)",
                "Correct the settings",
            )
        width = float(config.options.get("width", 1.0))
        features = round(RESNET_WIDTHS[-1] * width) if layers else 1024
        middle = 0.0 if layers else 14.0  # DenseNet's average pooling moves its cells
        origin = (middle - _lacking(frames) // 2, middle, middle)[-int(dims) :]
        super().__init__(config, features, (FLAT,) * int(dims), origin)
        self.dims = int(dims)
        channels = self.inputs.channels * (1 if dims == 3 else frames)
        self.trunk = (
            resnet(channels, layers, dims=self.dims, width=width)
            if layers
            else densenet(channels, dims=self.dims)
        )

    def maps(self, channels: Tensor, scaled: Tensor) -> Tensor:
        """Return the map (B, C, h / 32, w / 32), with frames / 32 before them in 3D."""
        if self.dims == 2:
            made: Tensor = self.trunk(scaled.flatten(1, 2))
            return made
        lacking = _lacking(scaled.shape[2])
        sides = (0, 0, 0, 0, lacking // 2, lacking - lacking // 2)
        filled: Tensor = self.trunk(functional.pad(scaled, sides))
        return filled


def resnet(channels: int, layers: tuple[int, ...], *, dims: int, width: float = 1.0) -> nn.Module:
    """Return the convolutions of MONAI's ResNet, (B, channels, ...) -> (B, 512 width, ... / 32).

    He 2016, 10.1109/CVPR.2016.90; in 3D Hara 2018, 10.1109/CVPR.2018.00685.

    Parameters
    ----------
    channels : int
        Of the picture.
    layers : tuple of int
        Basic blocks of each stage.
    dims : int
        2 or 3.
    width : float
        Factor for the features.
    """
    whole = _monai("resnet").ResNet(
        "basic",
        list(layers),
        list(RESNET_WIDTHS),
        spatial_dims=dims,
        n_input_channels=channels,
        conv1_t_stride=2,
        widen_factor=width,
        feed_forward=False,
    )
    kept = (whole.conv1, whole.bn1, whole.act, whole.maxpool)
    stages = (whole.layer1, whole.layer2, whole.layer3, whole.layer4)
    return _without_batch_norm(nn.Sequential(*kept, *stages))


def densenet(channels: int, *, dims: int) -> nn.Module:
    """Return the convolutions of MONAI's DenseNet-121, (B, channels, ...) -> (B, 1024, ... / 32).

    Huang 2017, 10.1109/CVPR.2017.243.

    Parameters
    ----------
    channels : int
        Of the picture.
    dims : int
        2 or 3.
    """
    whole = _monai("densenet").DenseNet(dims, channels, 1, block_config=DENSENET)
    return _without_batch_norm(nn.Sequential(whole.features, nn.ReLU()))


def _lacking(frames: int) -> int:
    """Count the empty frames that a 3D network needs in addition."""
    return -frames % FLAT


def _monai(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(f"monai.networks.nets.{name}")
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "This network is one of MONAI's, which is not installed",
            "the extra `compare`",
            'Install it with: pip install "hemocast[compare]"',
        ) from error


def _without_batch_norm(net: nn.Module) -> nn.Module:
    """Put group normalisation where batch normalisation is: MONAI's ResNet takes no other."""
    batch = (nn.BatchNorm2d, nn.BatchNorm3d)
    for parent in list(net.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, batch):
                setattr(parent, name, normalisation(child.num_features))
    return net


def resnet10(config: NetConfig, frames: int) -> GeneralNetwork:
    """Build ResNet-10, one basic block a stage; 5,073,409 parameters; in 3D 14,378,881."""
    return GeneralNetwork(config, frames, (1, 1, 1, 1))


def resnet18(config: NetConfig, frames: int) -> GeneralNetwork:
    """Build ResNet-18, two basic blocks a stage; 11,344,129 parameters; in 3D 33,183,361."""
    return GeneralNetwork(config, frames, (2, 2, 2, 2))


def densenet121(config: NetConfig, frames: int) -> GeneralNetwork:
    """Build DenseNet-121; 7,121,089 parameters; in 3D 11,265,601."""
    return GeneralNetwork(config, frames)


class FrameByFrame(Comparator):
    """2.5D: every frame with its two neighbours as channels, one encoder for all, then a mean.

    Input: (B, 28, 192, 192), pooled to 64 x 64; 28 pictures of 3 channels, 6 with the mirror
    channel. 79,665 parameters with ``width`` 0.125 (the default), 80,721 with attention.

    Source: MONAI's ResNet-10 in 2D as the encoder (`resnet`). Mean pooling over the brain: cells
    count by the share of tissue in them. Attention: Ilse 2018, 10.48550/arXiv.1802.04712, frames as
    the instances of a bag, without gates; frames without tissue get none.

    Ours: an eighth of the ResNet's features, so that 28 frames take no longer than CTNet does; its
    four stages end at 2 x 2 cells; 16 units in the attention.

    Parameters
    ----------
    config : NetConfig
    frames : int
    attention : bool
        Weigh the frames by what they show, in place of by their tissue alone.
    """

    def __init__(self, config: NetConfig, frames: int, attention: bool) -> None:
        width = float(config.options.get("width", 0.125))
        features = round(RESNET_WIDTHS[-1] * width)
        super().__init__(config, features, (1, FLAT, FLAT))
        self.encoder = resnet(self.inputs.channels * 3, (1, 1, 1, 1), dims=2, width=width)
        self.attention = (
            # What all frames' scores had in common would change nothing.
            nn.Sequential(nn.Linear(features, 16), nn.Tanh(), nn.Linear(16, 1, bias=False))
            if attention
            else None
        )

    def maps(self, channels: Tensor, scaled: Tensor) -> Tensor:
        """Return the map (B, C, frames, h / 32, w / 32), weighted so that its mean is the bag's."""
        batch, kinds, frames, *size = scaled.shape
        ends = torch.cat([scaled[:, :, :1], scaled, scaled[:, :, -1:]], 2)
        near = torch.stack([ends[:, :, at : at + frames] for at in range(3)], 2)
        pictures = near.permute(0, 3, 1, 2, 4, 5).reshape(batch * frames, kinds * 3, *size)
        coded = self.encoder(pictures)
        maps = coded.reshape(batch, frames, *coded.shape[1:]).transpose(1, 2)
        # Cells lie around every 32nd pixel: what is 16 nearer counts.
        share = functional.avg_pool3d(
            (channels[:, :1] > 0.02).to(scaled.dtype), (1, FLAT, FLAT), padding=(0, 16, 16)
        )[..., : maps.shape[3], : maps.shape[4]]
        if self.attention is not None:
            share = share * self._attended(maps, share)
        weighed: Tensor = maps * (share / (share.mean((1, 2, 3, 4), keepdim=True) + 1e-3))
        return weighed

    def _attended(self, maps: Tensor, share: Tensor) -> Tensor:
        """Return how much each frame counts, mean 1, (B, 1, frames, 1, 1)."""
        assert self.attention is not None  # noqa: S101 - the caller looked
        held = share.mean((1, 3, 4))
        seen = (maps * share).mean((3, 4)) / (held[:, None] + 1e-3)
        score = self.attention(seen.transpose(1, 2)).squeeze(2)
        weight = torch.softmax(score + torch.log(held + 1e-4), 1)
        return (weight * weight.shape[1] / (held + 1e-3))[:, None, :, None, None]


def frames_mean(config: NetConfig, frames: int) -> FrameByFrame:
    """Build the 2.5D network with mean pooling over the brain: see `FrameByFrame`."""
    return FrameByFrame(config, frames, attention=False)


def frames_attention(config: NetConfig, frames: int) -> FrameByFrame:
    """Build the 2.5D network with attention over frames: see `FrameByFrame`."""
    return FrameByFrame(config, frames, attention=True)
