from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

from hemocast.anatomy import Brain, find_brain
from hemocast.config import PrepareConfig
from hemocast.errors import ContrastGiven
from hemocast.prepare.eligibility import eligible_stack
from hemocast.signs import find_enhancement
from hemocast.simulate import Bleed, Infarct, Person, Protocol, Stroke, render_head
from hemocast.volume import Volume

slow = pytest.mark.slow


def _vessels(mask: np.ndarray, spacing: np.ndarray, seed: int, widen: float):
    """Points in mm (z, y, x) and radii of a tree: basilar, ACA, MCA branches, straight sinus."""
    rng = np.random.default_rng(seed)
    places = np.argwhere(mask[:, ::4, ::4]) * [1, 4, 4] * spacing
    low, high = np.percentile(places, [1, 99], axis=0)
    middle = places.mean(axis=0)[2]

    def at(z, y, x):
        ends = low[:2] + np.array([z, y]) * (high - low)[:2]
        return np.array([*ends, middle + x * (high - low)[2] / 2])

    trees = [
        ([at(0.02, 0.62, 0), at(0.2, 0.5, 0), at(0.3, 0.45, 0)], 1.8),
        ([at(0.3, 0.35, 0), at(0.45, 0.12, 0), at(0.75, 0.25, 0), at(0.8, 0.55, 0)], 1.2),
        ([at(0.42, 0.6, 0), at(0.5, 0.66, 0), at(0.55, 0.85, 0), at(0.4, 0.97, 0)], 2.5),
    ]
    for side in (-1, 1):
        trees.append(
            ([at(0.3, 0.38, 0), at(0.31, 0.36, side * 0.3), at(0.33, 0.4, side * 0.6)], 1.5)
        )
        for _ in range(14):
            end = rng.uniform([0.35, 0.1, 0.45], [0.95, 0.9, 0.95]) * [1, 1, side]
            bend = rng.uniform([0.33, 0.3, 0.5], [0.6, 0.7, 0.8]) * [1, 1, side]
            tree = [at(0.33, 0.4, side * 0.55), at(*bend), at(*end)]
            trees.append((tree, rng.uniform(0.7, 1.6)))
    points, radii = [], []
    for corners, radius in trees:
        along = np.linspace(0, len(corners) - 1, 400)
        line = [np.interp(along, range(len(corners)), part) for part in np.array(corners).T]
        points.append(ndimage.gaussian_filter1d(np.stack(line, 1), 25, axis=0, mode="nearest"))
        radii += [radius * widen] * 400
    return np.concatenate(points), np.array(radii)


def _painted(volume: Volume, brain: Brain, hu: float, seed=0, widen=1.0) -> tuple[Volume, float]:
    """Paint vessels into a scan, mixing with what was there at their rims; also their mL."""
    spacing = np.array(volume.spacing)
    points, radii = _vessels(brain.mask, spacing, seed, widen)
    near = np.zeros(volume.hu.shape, bool)
    index = np.rint(points / spacing).astype(int)
    near[tuple(index[(index < near.shape).all(axis=1)].T)] = True
    size = [3, *(2 * int(np.ceil(4 * widen / step)) + 1 for step in spacing[1:])]
    near = ndimage.maximum_filter(near, size=size) & brain.mask
    places, tree = np.argwhere(near) * spacing, cKDTree(points)
    share = np.zeros(len(places))
    for plane in np.linspace(-3, 3, 7) / 7:
        away, nearest = tree.query(places + np.array([plane * spacing[0], 0, 0]))
        share += np.clip((radii[nearest] - away) / spacing[1] + 0.5, 0, 1) / 7
    out = volume.hu.copy()
    agent = hu + np.random.default_rng(seed).normal(0, 4, share.shape)
    out[near] = out[near] * (1 - share) + agent * share
    return replace(volume, hu=out), float(share.sum() * np.prod(spacing) / 1000)


@pytest.mark.parametrize(
    ("hu", "widen"),
    [
        (300.0, 1.0),
        *(pytest.param(*one, marks=slow) for one in ((200.0, 1.0), (140.0, 1.3), (115.0, 1.3))),
        (100.0, 1.5),
    ],
)
def test_vessels_painted_into_the_real_head_are_seen(ge_volume, ge_brain, hu, widen):
    painted, ml = _painted(ge_volume, ge_brain, hu, widen=widen)
    found = find_enhancement(painted, find_brain(painted))
    assert found.present
    assert 0.2 * ml < found.bright_ml < 2 * ml


def test_the_real_plain_head_shows_none(ge_volume, ge_brain):
    found = find_enhancement(ge_volume, ge_brain)
    assert not found.present
    assert found.bright_ml < 1.0


@pytest.mark.parametrize("seed", [*(pytest.param(seed, marks=slow) for seed in (0, 3)), 1, 2])
def test_simulated_heads_with_and_without(seed):
    infarct = Infarct(("MCA", "PCA", "ACA", "cerebellar")[seed], "left", 50.0)
    bleed = Bleed("PH1", 15.0) if seed % 2 else None
    volume = render_head(seed, Person(85), Stroke(infarct, bleed=bleed))
    brain = find_brain(volume)
    assert not find_enhancement(volume, brain).present
    painted, _ = _painted(volume, brain, 150.0, seed)
    assert find_enhancement(painted, find_brain(painted)).present


def test_bright_vessels_never_pass_to_a_model():
    volume = render_head(3)
    enhanced, _ = _painted(volume, find_brain(volume), 250.0)
    with pytest.raises(ContrastGiven, match="vessels"):
        eligible_stack(enhanced, PrepareConfig())


def test_a_large_clot_and_a_few_calcifications_are_no_vessels(ge_volume, ge_brain, with_ball):
    z, y, x = (int(v) for v in np.argwhere(ge_brain.mask).mean(axis=0))
    bled = with_ball(ge_volume, (z, y, x), 40.0, 88.0)  # as dense as clot gets, with its noise
    assert not find_enhancement(bled, find_brain(bled)).present
    calcified = ge_volume
    for shift in ((0, 40, 50), (0, 40, -50), (-3, 10, 0), (0, -20, 40), (0, -20, -40)):
        place = (z + shift[0], y + shift[1], x + shift[2])
        calcified = with_ball(calcified, place, 0.6, 250.0)
    assert not find_enhancement(calcified, find_brain(calcified)).present


def test_nothing_bright_at_all():
    hu = np.full((4, 20, 20), 30.0, np.float32)
    volume = render_head(0, protocol=Protocol(matrix=128, slice_mm=8))
    plain = Volume(hu, volume.affine, ((),) * 4, volume.source)
    found = find_enhancement(plain, Brain(np.ones(hu.shape, bool), 1.0))
    assert (found.present, found.bright_ml, found.cubes) == (False, 0.0, 0)


@slow
def test_no_false_alarm_in_many_simulated_heads():
    for seed in range(200, 230):
        infarct = Infarct(("MCA", "PCA", "ACA", "cerebellar")[seed % 4], "right", 60.0)
        protocol = Protocol(noise_hu=3.0 + seed % 6, slice_mm=(5.0, 2.5, 6.0)[seed % 3])
        bleed = Bleed("PH2", 20.0) if seed % 2 else None
        person, stroke = Person(45 + seed % 45), Stroke(infarct, bleed=bleed)
        volume = render_head(seed, person, stroke, protocol=protocol)
        assert not find_enhancement(volume, find_brain(volume)).present
