"""Maps from gradients. They need torch, and the network itself (`hemocast.model.load_network`).

All are in the unit of the class activation map: the mean over the stack is what the picture adds to
the logit, in Grad-CAM's two forms what it adds where it speaks for HT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from hemocast.explain.occlusion import neutral
from hemocast.model.heatmap import enlarge
from hemocast.volume import FloatArray, Stack

if TYPE_CHECKING:
    from torch import Tensor

    from hemocast.nets import Network

STEPS = 16
"""Midpoints of the integral."""

SMOOTH_MM = 8.0
"""SD over which integrated gradients are averaged, mm; this project's choice. Those of neighbours
cancel for the most part: the positive ones alone add up to more than twice the sum of all."""


def grad_cam(net: Network, stack: Stack) -> FloatArray:
    """Weigh the last feature map by its mean gradient (Selvaraju 2017, 10.1109/ICCV.2017.74).

    Behind mean pooling and one linear layer, as all networks here end, the gradient is the same
    everywhere: the map is that of the class activation map without its negative part.
    """
    maps, slope = _maps_and_slope(net, stack)
    weights = slope.flatten(1).sum(1)
    return _on_stack(np.tensordot(_numbers(weights), _numbers(maps), axes=1), net, stack)


def grad_cam_plus_plus(net: Network, stack: Stack) -> FloatArray:
    """Weigh every place's gradient by how much it brings (Chattopadhay 2018).

    10.1109/WACV.2018.00097, with its closed form for the exponential of the logit.
    """
    maps, slope = _maps_and_slope(net, stack)
    axes = tuple(range(1, maps.ndim))
    slope = slope * slope[0].numel()  # in the map's own unit, so that no power of it vanishes
    total = maps.sum(axes, keepdim=True)
    share = slope**2 / (2 * slope**2 + total * slope**3).where(slope != 0, slope.new_ones(()))
    weights = (share * slope.relu()).mean(axes)
    return _on_stack(np.tensordot(_numbers(weights), _numbers(maps), axes=1), net, stack)


def integrated_gradients(net: Network, stack: Stack) -> FloatArray:
    """Sum gradients on the way from an even grey head (Sundararajan 2017, arXiv 1703.01365).

    The mean over all pixels is the logit of the scan minus that of the grey head, up to the error
    of `STEPS` midpoints and what smoothing (`SMOOTH_MM`) carries out of the brain.
    """
    import torch

    scan = torch.from_numpy(stack.frames)
    grey = torch.from_numpy(neutral(stack))
    total = torch.zeros_like(scan)
    for step in range(STEPS):
        at = torch.lerp(grey, scan, (step + 0.5) / STEPS)[None].requires_grad_()
        total += torch.autograd.grad(net(at)[0].sum(), at)[0][0]
    values = _numbers(total * (scan - grey) * (scan.numel() / STEPS))
    values = ndimage.gaussian_filter(values, [SMOOTH_MM / mm for mm in stack.spacing])
    return np.where(stack.brain, values, np.float32(0))


def _maps_and_slope(net: Network, stack: Stack) -> tuple[Tensor, Tensor]:
    """Return the last feature map (C, ...) of a stack, and the logit's gradient in it."""
    import torch

    with torch.enable_grad():
        frames = torch.from_numpy(stack.frames)[None].requires_grad_()
        _, maps = net(frames)
        # The head is told the mean of the map; what is asked is how the logit follows it.
        pooled = maps.flatten(2).mean(2)
        slope = torch.autograd.grad(net.head(pooled).sum(), maps)[0]
    return maps[0].detach(), slope[0]


def _on_stack(values: FloatArray, net: Network, stack: Stack) -> FloatArray:
    positive = np.maximum(values, 0).astype(np.float32)
    on_grid = enlarge(positive, stack.frames.shape, net.map_grid)
    return np.where(stack.brain, on_grid, np.float32(0))


def _numbers(values: Tensor) -> FloatArray:
    numbers: FloatArray = values.detach().numpy()
    return numbers
