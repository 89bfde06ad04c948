from __future__ import annotations

import torch

from hemocast.nets.blocks import StackInput
from hemocast.train.augment import Strength, augment

STILL = Strength(rotation=0, scale=0, shift=0, frames=0, gain=0, offset=0, noise=0)


def batch(count: int = 6) -> torch.Tensor:
    frames = torch.rand(count, 8, 16, 16, generator=torch.Generator().manual_seed(1))
    return StackInput(1, mirror=True, smooth=3)(frames * 0.9 + 0.05)


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_same_draw_gives_the_same_batch():
    assert torch.equal(augment(batch(), drawn()), augment(batch(), drawn()))
    assert not torch.equal(augment(batch(), drawn()), augment(batch(), drawn(1)))


def test_without_strength_scans_are_only_flipped():
    channels = batch(16)
    changed = augment(channels, drawn(), STILL)
    kinds = set()
    for before, after in zip(channels, changed, strict=True):
        flipped = torch.allclose(after, before.flip(-1), atol=1e-5)
        assert flipped or torch.allclose(after, before, atol=1e-5)
        kinds.add(flipped)
    assert kinds == {True, False}


def test_background_stays_background_and_intensity_in_range():
    channels = batch()
    channels[..., :8] = 0
    changed = augment(channels, drawn(), Strength(rotation=0, scale=0, shift=0, frames=0))
    assert float(changed[:, 0].min()) >= 0
    assert float(changed[:, 0].max()) <= 1
    empty = (changed[:, 0] == 0).float().mean((1, 2))
    assert bool(((empty[:, :7] == 1).all(1) | (empty[:, -7:] == 1).all(1)).all())


def test_frames_move_up_and_down_and_leave_nothing_behind():
    channels = torch.ones(40, 1, 5, 4, 4) * torch.arange(1, 6).view(1, 1, 5, 1, 1) / 10
    changed = augment(channels, drawn(), Strength(0, 0, 0, 1, 0, 0, 0))
    middle = {tuple(round(float(v), 1) for v in scan[0, :, 2, 2]) for scan in changed}
    assert middle == {
        (0.1, 0.2, 0.3, 0.4, 0.5),
        (0.2, 0.3, 0.4, 0.5, 0.0),
        (0.0, 0.1, 0.2, 0.3, 0.4),
    }


def test_the_input_is_left_alone():
    channels = batch()
    copy = channels.clone()
    augment(channels, drawn())
    assert torch.equal(channels, copy)
