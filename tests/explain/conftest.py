"""A head of noise, and a network that looks at one cube of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hemocast.nets import MapGrid
from hemocast.volume import Stack, StackRecord

SHAPE = (8, 64, 64)
CUBE = (slice(2, 5), slice(16, 24), slice(38, 48))


class Cube(nn.Module):
    """The mean of one cube, through a map of the stack's size."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.map_grid = MapGrid(step=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0))
        self.head = nn.Linear(1, 1)
        nn.init.constant_(self.head.weight, scale)
        seen = torch.zeros(SHAPE)
        seen[CUBE] = 1.0
        self.register_buffer("seen", seen)

    def forward(self, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        maps = (frames * self.seen).unsqueeze(1)
        return self.head(maps.flatten(2).mean(2)).squeeze(1), maps


@pytest.fixture
def cube() -> Cube:
    """Return the network."""
    return Cube()


@pytest.fixture(scope="session")
def in_cube() -> np.ndarray:
    """Return where it looks."""
    mask = np.zeros(SHAPE, bool)
    mask[CUBE] = True
    return mask


@pytest.fixture(scope="session")
def stack(in_cube: np.ndarray) -> Stack:
    """Return a round head of noise, brighter in the cube; frames are 5 mm, pixels 3 mm."""
    rng = np.random.default_rng(0)
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in SHAPE), indexing="ij")
    brain = z**2 + y**2 + x**2 < 0.9
    frames = np.where(brain, (0.5 + rng.normal(0, 0.05, SHAPE)).clip(0, 1), 0)
    frames[in_cube & brain] += 0.3
    affine = np.array([[-3.0, 0, 0, 70], [0, -3, 0, 70], [0, 0, 5, -20], [0, 0, 0, 1]])
    record = StackRecord("a" * 64, "b" * 64, (0, 0, 0), (0, 0, 0), 1300.0, 0, 0, 0.0)
    return Stack(frames.astype(np.float32), brain, affine, record)


@pytest.fixture
def logits(cube: Cube):
    """Return the network as a callable of arrays."""

    def _logits(frames: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return cube(torch.from_numpy(frames))[0].numpy()

    return _logits
