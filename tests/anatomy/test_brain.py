from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from hemocast.anatomy import Brain, find_brain
from hemocast.simulate import Edema, Infarct, Stroke
from hemocast.volume import Volume


def _draw(volume: Volume, brain: Brain, path: Path) -> None:
    """Draw every slice with the mask's outline, for a person to look at."""
    from matplotlib.figure import Figure

    step = max(1, len(volume.hu) // 40)
    shown = range(0, len(volume.hu), step)
    figure = Figure(figsize=(16, 2.1 * -(-len(shown) // 8)))
    for place, z in enumerate(shown):
        axes = figure.add_subplot(-(-len(shown) // 8), 8, place + 1)
        axes.imshow(volume.hu[z], cmap="gray", vmin=0, vmax=80)
        if brain.mask[z].any():
            axes.contour(brain.mask[z], [0.5], colors="red", linewidths=0.6)
        axes.set_title(str(z), fontsize=6, pad=1)
        axes.axis("off")
    figure.subplots_adjust(0, 0, 1, 0.98, 0.02, 0.08)
    figure.savefig(path, dpi=70)


def _assert_plausible(volume: Volume, brain: Brain) -> None:
    inside = volume.hu[brain.mask]
    assert (inside > 200).mean() < 0.005  # calcifications at most
    assert (inside < -150).mean() < 0.002
    _, n = ndimage.label(brain.mask)
    assert n == 1
    filled = np.stack([ndimage.binary_fill_holes(level) for level in brain.mask])
    assert (filled & ~brain.mask).sum() < 0.005 * brain.mask.sum()


def test_the_real_head(ge_volume, ge_brain, artefacts):
    brain = ge_brain
    _draw(ge_volume, brain, artefacts / "anatomy_ge_brain.png")
    _assert_plausible(ge_volume, brain)
    assert 1350 < brain.volume_ml < 1450
    assert brain.mask.shape == ge_volume.hu.shape
    # Nothing of the face, and the cerebellum is there: the lowest brain lies at the back.
    z = np.flatnonzero(brain.mask.any(axis=(1, 2)))
    lowest = brain.mask[z[0] : z[0] + 2]
    assert np.nonzero(lowest)[1].mean() > np.nonzero(brain.mask)[1].mean()


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2)), 3]
)
def test_simulated_heads(head, artefacts, seed):
    volume = head(seed, rotation_degrees=(8.0 - 4 * seed, 5.0, -6.0), holder=bool(seed % 2))
    brain = find_brain(volume)
    _assert_plausible(volume, brain)
    assert 1150 < brain.volume_ml < 1950
    _draw(volume, brain, artefacts / f"anatomy_simulated_brain_{seed}.png")


@pytest.fixture(scope="module")
def sixth(head) -> tuple[Volume, Brain]:
    """Return a simulated head and its brain."""
    volume = head(6)
    return volume, find_brain(volume)


@pytest.mark.parametrize("parts", [4, 7])
def test_slices_thinner_than_a_millimetre_share_a_mask_that_is_the_same_brain(sixth, parts):
    volume, brain = sixth
    affine = volume.affine.copy()
    affine[:3, 2] /= parts
    affine[:3, 3] -= affine[:3, 2] * (parts - 1) / 2
    thin = replace(
        volume,
        hu=np.repeat(volume.hu, parts, axis=0),
        affine=affine,
        slices=((),) * (parts * len(volume.hu)),
    )
    assert thin.spacing[0] < 1.26
    found = find_brain(thin)
    whole = np.repeat(brain.mask, parts, axis=0)
    same = 2 * (found.mask & whole).sum() / (found.mask.sum() + whole.sum())
    assert same > 0.98
    assert found.volume_ml == pytest.approx(brain.volume_ml, rel=0.02)
    _assert_plausible(thin, found)


@pytest.mark.parametrize("pitch", [-30, 30])
def test_a_pitched_head(head, sixth, pitch):
    pitched = find_brain(head(6, rotation_degrees=(pitch, 0, 0)))
    assert pitched.volume_ml == pytest.approx(sixth[1].volume_ml, rel=0.04)


@pytest.mark.parametrize(
    "settings",
    [{"slice_mm": 2.0}, {"slice_mm": 10.0}, pytest.param({"matrix": 512}, marks=pytest.mark.slow)],
)
def test_the_grid_hardly_matters(head, sixth, settings):
    found = find_brain(head(6, **settings))
    assert found.volume_ml == pytest.approx(sixth[1].volume_ml, rel=0.04)


def test_a_dark_infarct_at_the_border_stays_inside(head):
    healthy = find_brain(head(7)).mask
    stroke = Stroke(Infarct("MCA", "left", 150.0), Edema(0.6))
    ill = find_brain(head(7, stroke=stroke)).mask
    assert (healthy ^ ill).sum() < 0.003 * healthy.sum()


def test_noise_leaves_no_holes(sixth):
    volume, quiet = sixth
    noise = np.random.default_rng(0).normal(0, 20, volume.hu.shape).astype(np.float32)
    noisy = find_brain(replace(volume, hu=volume.hu + noise))
    assert (noisy.mask ^ quiet.mask).sum() < 0.02 * noisy.mask.sum()


@pytest.mark.parametrize(("base", "top"), [(45, 0), (0, 45)])
def test_missing_base_or_vertex(ge_volume, ge_brain, cut, base, top):
    whole = ge_brain.mask
    part = cut(ge_volume, base, top)
    found = find_brain(part).mask
    start = round(base / ge_volume.spacing[0])
    expected = whole[start : start + len(found)]
    assert (found ^ expected).sum() < 0.02 * expected.sum()
