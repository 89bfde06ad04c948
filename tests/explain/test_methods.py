"""One way to ask for any map, from a model as it is shipped."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.errors import UsageError
from hemocast.explain import METHODS, explain
from hemocast.model import load_default, load_network
from hemocast.volume import Stack, StackRecord


@pytest.fixture(scope="module")
def pair():
    """Return the shipped model, and its network in torch."""
    return load_default(threads=1), load_network()


@pytest.fixture(scope="module")
def stack() -> Stack:
    """Return a small round brain of noise, darker on one side, in frames of the model's size."""
    z, y, x = np.meshgrid(np.arange(28), *[np.linspace(-1, 1, 192)] * 2, indexing="ij")
    brain = (abs(z - 13) < 6) & (y**2 + x**2 < 0.08)
    noise = np.random.default_rng(1).normal(0.5, 0.1, brain.shape)
    noise[:, 80:110, 65:90] -= 0.2
    frames = np.where(brain, noise.clip(0, 1), 0).astype(np.float32)
    record = StackRecord("a" * 64, "b" * 64, (0, 0, 0), (0, 0, 0), 300.0, 0, 0, 0.0)
    return Stack(frames, brain, np.diag([-1.0, -1.0, 5.0, 1.0]), record)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_one_map_of_the_brain(method, pair, stack) -> None:
    model, network = pair
    values = explain(model, stack, method, network)
    assert values.shape == stack.frames.shape
    assert values.dtype == np.float32
    assert not values[~stack.brain].any()
    assert np.ptp(values) > 0


def test_what_cannot_be_asked_is_refused(pair, stack) -> None:
    model, _ = pair
    with pytest.raises(UsageError, match="no method 'saliency'"):
        explain(model, stack, "saliency")
    with pytest.raises(UsageError, match="needs the network"):
        explain(model, stack, "grad-cam")


def test_a_network_in_torch_answers_as_the_exported_one(pair, stack) -> None:
    import torch

    model, network = pair
    with torch.inference_mode():
        logit = network(torch.from_numpy(stack.frames)[None])[0].item()
    assert logit == pytest.approx(model.logits(stack.frames[None])[0], abs=1e-4)
