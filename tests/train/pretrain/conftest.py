"""A cohort of twelve small simulated scans: a dark blob on one side, of different sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemocast.config import NetConfig
from hemocast.train.pretrain.findings import COLUMNS

SHAPE = (8, 24, 24)
COUNT = 12


def _head(rng: np.random.Generator, left: bool, radius: float) -> tuple[np.ndarray, np.ndarray]:
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in SHAPE), indexing="ij")
    brain = z**2 + y**2 + x**2 < 0.9
    side = 1 if left else -1
    lesion = (z**2 + y**2 + (x - 0.4 * side) ** 2 < radius**2) & brain
    levels = np.clip(0.6 + rng.normal(0, 0.03, SHAPE) - 0.2 * lesion, 0, 1)
    return (np.where(brain, levels, 0) * 255).astype(np.uint8), lesion


@pytest.fixture(scope="session")
def cohort(tmp_path_factory) -> Path:
    """Return the folder, with labels that nobody may read."""
    out = tmp_path_factory.mktemp("simulated") / "cohort"
    (out / "stacks").mkdir(parents=True)
    (out / "findings").mkdir()
    rng = np.random.default_rng(3)
    made = [_head(rng, k % 2 == 0, 0.2 + 0.03 * k) for k in range(COUNT)]
    np.save(out / "stacks" / "stacks.npy", np.stack([levels for levels, _ in made]))
    np.save(
        out / "findings" / "lesions.npy",
        np.packbits(np.stack([lesion for _, lesion in made]), axis=-1),
    )
    rows = ["\t".join(COLUMNS)]
    for k in range(COUNT):
        side = "left" if k % 2 == 0 else "right"
        values = [f"sub-{k}_ses-01", k, side, 2.0 + 5 * k, 0.15, 10 - k % 8, k % 2, k % 5, 50 + k]
        rows.append("\t".join(map(str, values)))
    (out / "findings" / "findings.tsv").write_text("\n".join(rows) + "\n")
    for name in ("labels.tsv", "clinical.tsv", "reviews.tsv"):
        (out / "stacks" / name).write_text("participant_id\tlabel\nsub-0\t1\n")
    (out / "truth").mkdir()
    (out / "truth" / "patients.csv").write_text("risk_image\n0.9\n")
    return out


@pytest.fixture(scope="session")
def net() -> NetConfig:
    """Return settings of a network for those scans."""
    return NetConfig(name="hemispheres", pool=1, smooth=3, stem=8, widths=(8,), dropout=0)
