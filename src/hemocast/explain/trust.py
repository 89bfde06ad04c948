"""Whether a map shows what the model uses: deletion, insertion, and weights drawn anew."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from hemocast.explain.occlusion import Logits, neutral
from hemocast.volume import FloatArray, Stack

if TYPE_CHECKING:
    from torch import nn

    from hemocast.nets import Network

STEPS = 10


@dataclass(frozen=True)
class Curves:
    """The logit as the brain's hottest places are covered, or put back into an even grey head.

    Parameters
    ----------
    share : ndarray of float32, shape (STEPS + 1,)
        Of the brain that is covered, or put back.
    deletion, insertion : ndarray of float32, shape (STEPS + 1,)
        Logits.
    """

    share: FloatArray
    deletion: FloatArray
    insertion: FloatArray

    @property
    def gain(self) -> float:
        """Mean of insertion less that of deletion: above 0 if the answer falls as hot places go."""
        return float(np.trapezoid(self.insertion - self.deletion, self.share))


def deletion_and_insertion(logits: Logits, stack: Stack, values: FloatArray) -> Curves:
    """Cover the brain from the hottest place on, and uncover it so (Petsiuk 2018).

    arXiv 1806.07421. What is covered has the level usual in its frame.

    Parameters
    ----------
    logits : callable
        Frames (n, 28, H, W) to logits (n,).
    stack : Stack
    values : ndarray, shape (28, H, W)
        A map. Places of one value are taken in the order in which they lie.
    """
    plain = neutral(stack)
    places = np.flatnonzero(stack.brain)
    order = places[np.argsort(-values.ravel()[places], kind="stable")]
    share = np.linspace(0, 1, STEPS + 1, dtype=np.float32)
    deleted, inserted = [], []
    for part in share:
        chosen = order[: round(float(part) * order.size)]
        gone, back = stack.frames.copy(), plain.copy()
        gone.ravel()[chosen] = plain.ravel()[chosen]
        back.ravel()[chosen] = stack.frames.ravel()[chosen]
        deleted.append(float(logits(gone[None])[0]))
        inserted.append(float(logits(back[None])[0]))
    return Curves(share, np.array(deleted, np.float32), np.array(inserted, np.float32))


def randomised(net: Network, seed: int) -> Network:
    """Return the network with every weight drawn anew, but its last layer (Adebayo 2018).

    arXiv 1810.03292. A map that stays as it was does not come from what was learned. The last layer
    stays: it may be pointed towards HT for the new features, as training does with a fresh network.

    Parameters
    ----------
    net : Network
        Not changed.
    seed : int
    """
    import torch

    drawn = cast("nn.Module", copy.deepcopy(net))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, part in drawn.named_modules():
            if name != "head" and hasattr(part, "reset_parameters"):
                part.reset_parameters()
    return cast("Network", drawn)
