"""What an encoder's last layer loses where scans look as none that it learned from.

    python benchmarks/abroad.py ENCODER COHORT FRESH [N]

ENCODER is a folder of `hemocast pretrain`, or own; its last layer is fitted to COHORT as it is. The
first scans of the first N patients (300) of FRESH are then told as they are and changed in one way
at a time, on the prepared frames: soft share of the way to the image ceiling, and the mean risk.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from pretrained import Seen, line_of, share
from scipy import ndimage
from scipy.special import expit

from hemocast.config import Config, PrepareConfig
from hemocast.pipeline.benchmark.data import FreshPatients
from hemocast.train import with_encoder
from hemocast.train.pretrain.head import encoder_network
from hemocast.volume import from_levels

HU = 1 / (PrepareConfig().window_high - PrepareConfig().window_low)
"""Levels per HU."""

Floats = NDArray[Any]


def _texture(frames: Floats, rng: Generator) -> Floats:
    """Add 1.5 HU that vary over about 25 mm, as shading and beam hardening do."""
    coarse = rng.normal(
        size=[n // step + 2 for n, step in zip(frames.shape, (2, 8, 8), strict=True)]
    )
    coarse = ndimage.gaussian_filter(coarse, (2.5, 3, 3))
    field = ndimage.zoom(coarse, np.divide(frames.shape, coarse.shape), order=1)
    return frames + 1.5 * HU * field / field.std()


def _noise(frames: Floats, rng: Generator) -> Floats:
    """Add 4 HU of white noise in pixels of 1 mm."""
    return frames + 4 * HU * rng.normal(size=frames.shape)


def _blur(frames: Floats, _: Generator) -> Floats:
    """Blur in-plane by 2 mm SD, as a soft kernel does."""
    return np.asarray(ndimage.gaussian_filter(frames, (0, 2, 2)))


def _thick(frames: Floats, _: Generator) -> Floats:
    """Average over three frames, as slices of 15 mm do."""
    return np.asarray(ndimage.uniform_filter(frames, (3, 1, 1)))


def _rim(frames: Floats, _: Generator) -> Floats:
    """Brighten the rim under the bone by 8 HU, half as much 3 mm deeper."""
    depth = ndimage.distance_transform_edt(frames > 0, sampling=(5, 1, 1))
    return np.asarray(frames + 8 * HU * np.exp(-depth / 4))


def _contrast(frames: Floats, _: Generator) -> Floats:
    """Stretch CT numbers 1.2 times about 34 HU and shift them by 2."""
    return (frames - 0.6) * 1.2 + 0.6 + 2 * HU


CHANGES: dict[str, Callable[[Floats, Generator], Floats]] = {
    "as it is": lambda frames, _: frames,
    "texture 1.5 HU": _texture,
    "noise 4 HU": _noise,
    "blur 2 mm": _blur,
    "three frames averaged": _thick,
    "rim 8 HU": _rim,
    "contrast 1.2 times, 2 HU higher": _contrast,
}


def main() -> None:
    """Measure, and print one line for each change."""
    folder, cohort, fresh = map(Path, sys.argv[1:4])
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 300
    encoder = encoder_network(with_encoder(Config(), folder))
    learned = Seen.of(encoder, cohort)
    line = line_of(learned, np.ones(len(learned.table), bool))
    patients = FreshPatients.of(fresh)
    table = patients.table
    first = np.sort(np.unique(np.array(table.participant_id), return_index=True)[1])[:count]
    number = np.searchsorted(table.participants, table.participant_id)[first]
    risk, stacks = patients.image_risk[number], table.open()
    for name, change in CHANGES.items():
        rng, findings = np.random.default_rng(5), []
        for row in (table.rows[i] for i in first):
            frames = from_levels(stacks[row])
            changed = np.clip(np.where(frames > 0, change(frames, rng), 0), 0, 1)
            with torch.inference_mode():
                told = encoder.findings(torch.from_numpy(changed.astype(np.float32))[None])
            findings.append(told[0].numpy().astype(float))
        logit = line.logit(np.array(findings))
        reached = float(share(logit, risk)[0])
        print(
            f"{name}: {reached:.1f} %, mean risk {expit(logit).mean():.2f}, true {risk.mean():.2f}"
        )


if __name__ == "__main__":
    main()
