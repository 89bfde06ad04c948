"""Occlusion: what the model would say if a part of the brain were even grey. No gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from hemocast.volume import BoolArray, FloatArray, Stack

Logits = Callable[[FloatArray], FloatArray]
"""Frames (n, 28, H, W) in [0, 1] -> logits (n,)."""

BLOCK_MM = (20.0, 24.0, 24.0)
"""Of the parts that are covered in turn, (frame, y, x): 11.5 mL each. Finer blocks cost more runs;
this project's choice."""

LEAST_BRAIN = 0.1
"""A block with a smaller share of brain is left as it is."""


def neutral(stack: Stack) -> FloatArray:
    """Return frames in which all brain has the level that is usual in its frame: nothing to see.

    Parameters
    ----------
    stack : Stack

    Returns
    -------
    ndarray of float32, shape (28, H, W)
        Median level of the frame's brain in every pixel of it, 0 outside.
    """
    frames = np.zeros_like(stack.frames)
    for frame, source, brain in zip(frames, stack.frames, stack.brain, strict=True):
        if brain.any():
            frame[brain] = np.median(source[brain])
    return frames


def occlusion(logits: Logits, stack: Stack) -> FloatArray:
    """Cover the brain block by block, and see how far the logit falls (Zeiler & Fergus 2014).

    10.1007/978-3-319-10590-1_53. A block is covered by the level usual in its frame (`neutral`),
    not by its mirror image: that would make an infarct look as if it were on both sides wherever
    the healthy side is covered.

    Parameters
    ----------
    logits : callable
        The model.
    stack : Stack

    Returns
    -------
    ndarray of float32, shape (28, H, W)
        In every block the logit of the stack minus that with the block covered, over the block's
        share of the stack: in the unit of the class activation map, whose mean is the logit. 0
        outside the brain.
    """
    plain = neutral(stack)
    whole = float(logits(stack.frames[None])[0])
    fall = np.zeros_like(stack.frames)
    for block in blocks(stack):
        covered = stack.frames.copy()
        covered[block] = plain[block]
        size = covered[block].size
        fall[block] = (whole - float(logits(covered[None])[0])) * (covered.size / size)
    return np.where(stack.brain, fall, np.float32(0))


def blocks(stack: Stack) -> Iterator[tuple[slice, ...]]:
    """Give the parts of a stack that hold brain, from the first frame to the last.

    The grid is laid about the middle of the picture, so that no block holds both hemispheres.
    """
    steps = [max(1, round(mm / one)) for mm, one in zip(BLOCK_MM, stack.spacing, strict=True)]
    axes = [_cuts(size, step) for size, step in zip(stack.frames.shape, steps, strict=True)]
    for frames in axes[0]:
        for rows in axes[1]:
            for columns in axes[2]:
                block = (frames, rows, columns)
                part: BoolArray = stack.brain[block]
                if part.mean() >= LEAST_BRAIN:
                    yield block


def _cuts(size: int, step: int) -> list[slice]:
    edges = sorted({*range(size // 2, -1, -step), *range(size // 2, size, step), 0, size})
    return [slice(low, high) for low, high in pairwise(edges)]
