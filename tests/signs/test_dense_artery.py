"""A clot in thin slices is dense; thick slices say nothing."""

from __future__ import annotations

import pytest

from hemocast.anatomy import align, find_brain
from hemocast.signs.dense_artery import Artery, measure_artery
from hemocast.signs.measured import Found
from hemocast.simulate import Edema, Infarct, Person, Protocol, Stroke, render_head


def _thin(side: str, *, clot: bool) -> Artery:
    stroke = Stroke(Infarct("MCA", side, 40.0), Edema(0.1), hyperdense=clot)  # type: ignore[arg-type]
    protocol = Protocol(slice_mm=1.25, noise_hu=5.0)
    volume = render_head(502, Person(60), stroke, protocol=protocol)
    brain = find_brain(volume)
    found = measure_artery(volume, brain, align(volume, brain))
    assert found is not None
    return found


@pytest.mark.slow
def test_a_clot_is_denser_than_the_other_side() -> None:
    found = _thin("right", clot=True)
    assert found.denser == "right"
    assert found.dense is not False
    assert found.right_hu > 45
    assert _thin("right", clot=False).dense is False


@pytest.mark.parametrize(
    ("right", "left", "dense"),
    [(55.0, 44.0, True), (42.9, 30.0, None), (55.0, 47.0, None), (44.0, 43.0, False)],
)
def test_both_conditions_count(right: float, left: float, dense: bool | None) -> None:
    assert Artery(right, left, 10).dense is dense
    assert Artery(left, right, 10).dense is dense


def test_thick_slices_say_nothing(sound: Found, ge_found: Found) -> None:
    for head in (sound, ge_found):
        assert measure_artery(head.volume, head.brain, head.pose) is None
