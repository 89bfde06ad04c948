from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hemocast.anatomy import find_brain
from hemocast.anatomy.checks import check_hounsfield, check_skull
from hemocast.errors import ContentError, NotABrain, NotHounsfield
from hemocast.volume import Source, Volume


def _ball(tissue: np.ndarray | float, radius: float = 65.0) -> np.ndarray:
    """Return a ball of something in a shell of bone, 30 slices of 5 mm, 1.25 mm pixels."""
    z, y, x = np.ogrid[-72.5:72.5:30j, -120:120:192j, -120:120:192j]
    away = np.sqrt(x**2 + y**2 + z**2)
    return np.where(away < radius, tissue, np.where(away < radius + 8, 900.0, -1000.0))


SPACING = (5.0, 1.25, 1.25)


def _noise(sd: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, sd, (30, 192, 192))


@pytest.mark.parametrize("phantom", ["phantom_tilt0_5mm", "phantom_tilt_plus16"])
def test_a_skull_phantom_is_refused(unpack, phantom):
    from hemocast.dicom import read

    with pytest.raises(NotABrain) as refusal:
        find_brain(read(unpack(phantom)))
    assert "mL" in str(refusal.value)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (_ball(0.0) + _noise(5), "median of 0 HU"),
        (_ball(110.0) + _noise(5), "median of 110 HU"),
        (_ball(35.0) + _noise(5), "even"),
        (_ball(35.0, radius=45.0), "mL"),
        (_ball(-1000.0) + 1040 * (_ball(1.0, 90.0) == 1.0) * (_ball(1.0) == -1000.0), "no soft"),
    ],
    ids=["water", "plastic", "as dense as brain but even", "small", "empty, soft outside"],
)
def test_balls_in_a_shell_of_bone_are_refused(array_volume, values, reason):
    with pytest.raises(NotABrain, match=reason):
        find_brain(array_volume(values, SPACING))


def test_a_trunk_is_refused(array_volume):
    z, y, x = np.ogrid[-75:75:30j, -150:150:200j, -190:190:254j]
    trunk = (x / 170) ** 2 + (y / 110) ** 2 < 1
    hu = np.where(trunk, 45.0, -1000.0) + 0 * z
    spine = (x / 22) ** 2 + ((y - 60) / 25) ** 2 < 1
    hu = np.where(spine, 400.0, hu)
    ring = np.abs(np.hypot(x / 150, y / 95) - 1) < 0.04
    ribs = ring & (np.abs(np.mod(z, 25) - 12) < 4)
    with pytest.raises(NotABrain):
        find_brain(array_volume(np.where(ribs, 500.0, hu), (5.0, 1.5, 1.5)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda hu: np.where(hu > 890, np.nan, hu),
        lambda hu: np.where(hu > 890, np.inf, hu),
        lambda hu: hu + 1024,
        lambda hu: np.clip(hu, 0, 80),
        lambda hu: (hu - hu.min()) / (hu.max() - hu.min()),
        lambda hu: (hu - hu.mean()) / hu.std(),
        lambda hu: hu * 100,
    ],
    ids=["nan", "infinite", "unscaled", "windowed", "0 to 1", "z-scores", "too large"],
)
def test_values_that_are_not_hounsfield_units_are_refused(array_volume, spoil):
    with pytest.raises(NotHounsfield):
        find_brain(array_volume(spoil(_ball(35.0) + _noise(5)), SPACING))


@settings(max_examples=40, deadline=None)
@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 6), st.integers(1, 24), st.integers(1, 24)),
        elements=st.sampled_from([-1000.0, -100.0, 0.0, 35.0, 900.0, 2000.0, np.nan]),
    )
)
def test_whatever_is_given_the_answer_is_a_refusal_and_never_a_crash(hu):
    volume = Volume(hu, np.diag([-2.0, -2.0, 5.0, 1.0]), ((),) * len(hu), Source("array", "0"))
    with pytest.raises(ContentError):
        find_brain(volume)


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(0, 80, 1000),  # brain alone, its skull and air taken away
        np.linspace(0, 4000, 1000),  # MR
        np.linspace(0, 2000, 1000) ** 2,  # PET counts
        np.full(1000, -1024.0),  # nothing there
        np.concatenate([np.full(500, -1000.0), np.linspace(-100, 9000, 500)]),
        np.append(np.linspace(-1000, 1000, 999), np.inf),
        np.append(np.linspace(-1000, 1000, 999), np.nan),
        np.append(np.linspace(-1000, 1000, 999), -np.inf),
        np.append(np.linspace(-1000, 1000, 999), 1e6),
    ],
)
def test_values_that_are_not_hu_are_refused(values):
    with pytest.raises(NotHounsfield):
        check_hounsfield(values.astype(np.float32).reshape(10, 10, 10))


@pytest.mark.parametrize("outside", [0.0, -1000.0, -1024.0])
def test_a_brain_whose_skull_was_taken_off_is_refused(outside: float) -> None:
    hu = np.full((20, 40, 40), outside, np.float32)
    hu[4:16, 8:32, 8:32] = np.random.default_rng(0).normal(34, 6, (12, 24, 24))
    with pytest.raises(NotABrain, match="skull has been removed"):
        check_skull(hu)


def test_a_head_in_clean_air_keeps_its_skull() -> None:
    hu = np.full((20, 40, 40), -1000.0, np.float32)
    hu[3:17, 6:34, 6:34] = 900.0
    hu[4:16, 8:32, 8:32] = np.random.default_rng(0).normal(34, 6, (12, 24, 24))
    assert check_skull(hu) is None
    assert check_skull(np.zeros((4, 4, 4), np.float32)) is None
