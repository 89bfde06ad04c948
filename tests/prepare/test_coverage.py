from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemocast.anatomy import Brain, align, find_brain
from hemocast.config import PrepareConfig
from hemocast.errors import NotCovered
from hemocast.prepare import prepare
from hemocast.prepare.coverage import Coverage, measure_coverage, refuse_half_a_head
from hemocast.simulate import Protocol, render_head
from hemocast.volume import Volume


def _part(volume: Volume, first: int, last: int) -> Volume:
    """Keep some slices, the first to before the last."""
    affine = volume.affine.copy()
    affine[:3, 3] += affine[:3, 2] * first
    return replace(
        volume, hu=volume.hu[first:last], affine=affine, slices=volume.slices[first:last]
    )


def _measured(volume: Volume) -> Coverage:
    brain = find_brain(volume)
    return measure_coverage(volume, brain, align(volume, brain))


@pytest.fixture(scope="module")
def nodding() -> Volume:
    return render_head(
        11, protocol=Protocol(slice_mm=2.5, matrix=128, rotation_degrees=(12, 5, -8))
    )


@pytest.fixture(scope="module")
def ends(nodding: Volume) -> tuple[int, int]:
    """Return the lowest and highest slice that show brain."""
    used = np.flatnonzero(find_brain(nodding).mask.any(axis=(1, 2)))
    return int(used[0]), int(used[-1])


def test_a_whole_head_misses_nothing(nodding):
    found = _measured(nodding)
    assert found.missing == ""
    assert found.share > 0.95


def test_the_real_head_misses_nothing_that_matters(ge_volume, ge_brain, ge_pose):
    found = measure_coverage(ge_volume, ge_brain, ge_pose)
    assert found.missing == ""
    assert found.share > 0.95


@pytest.mark.parametrize("slices", [pytest.param(5, marks=pytest.mark.slow), 8])
def test_what_is_cut_off_at_the_vertex_is_told(nodding, ends, slices):
    found = _measured(_part(nodding, 0, ends[1] + 1 - slices))
    assert found.vertex_mm == pytest.approx(slices * 2.5, abs=4)
    assert found.base_mm < 8
    assert found.missing == f"{found.vertex_mm:.0f} mm at the vertex"


@pytest.mark.slow
def test_thin_slices_that_fill_no_block_hide_no_cut():
    # Two slices of 1.25 mm make a block of the brain's mask: an odd one at the end is left out.
    thin = render_head(7, protocol=Protocol(slice_mm=1.25, matrix=128))
    top = int(np.flatnonzero(find_brain(thin).mask.any(axis=(1, 2)))[-1])
    told = [_measured(_part(thin, 0, top - 20 + odd)).vertex_mm for odd in (0, 1)]
    assert min(told) > 15
    assert told[0] == pytest.approx(told[1], abs=3)


@pytest.mark.parametrize("slices", [pytest.param(4, marks=pytest.mark.slow), 8])
def test_what_is_cut_off_at_the_base_is_told(nodding, ends, slices):
    found = _measured(_part(nodding, ends[0] + slices, len(nodding.hu)))
    assert found.base_mm == pytest.approx(slices * 2.5, abs=7)
    assert found.vertex_mm == 0
    assert found.missing == f"{found.base_mm:.0f} mm at the base"


def test_slices_of_air_above_a_cut_hide_little(nodding, ends):
    cut = _part(nodding, 0, ends[1] - 7)
    air = np.full((6, *cut.hu.shape[1:]), -1000, np.float32)
    padded = replace(cut, hu=np.concatenate([cut.hu, air]), slices=cut.slices + ((),) * 6)
    assert _measured(padded).vertex_mm == pytest.approx(_measured(cut).vertex_mm, abs=5)


@pytest.mark.parametrize(("first", "last", "words"), [(0, 20, "vertex"), (14, 28, "base")])
def test_part_of_the_real_head_is_refused(ge_volume, first, last, words):
    height = len(ge_volume.hu) / 28
    part = _part(ge_volume, round(first * height), round(last * height))
    with pytest.raises(NotCovered) as refusal:
        prepare(part, PrepareConfig())
    assert refusal.value.code == "HC307"
    assert f"mm at the {words}" in refusal.value.seen


def test_a_little_missing_is_a_doubt_and_a_number(nodding, ends):
    record = prepare(_part(nodding, 0, ends[1] - 5), PrepareConfig()).record
    assert record.vertex_missing_mm > 8
    assert 0.8 < record.covered < 0.95
    assert any(f"{record.vertex_missing_mm:.0f} mm at the vertex" in d for d in record.doubts)


def test_the_limit_is_a_share_of_the_height():
    refuse_half_a_head(Coverage(10.0, 10.0, 0.81))
    with pytest.raises(NotCovered, match="79%"):
        refuse_half_a_head(Coverage(20.0, 10.0, 0.79))


@pytest.mark.parametrize("seed", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_a_brain_that_ends_high_above_the_neck_is_whole(seed):
    # Thick slices and a nod end the mask in a wide slice; neck and scalp beyond show it is whole.
    protocol = Protocol(
        slice_mm=8.0, matrix=128, rotation_degrees=(-18, 4, 5), margin_mm=(12.0, 10.0)
    )
    found = _measured(render_head(seed, protocol=protocol))
    assert (found.base_mm, found.vertex_mm, found.share) == (0, 0, 1)


@pytest.fixture(scope="module")
def whole() -> tuple[Volume, Brain]:
    volume = render_head(3, protocol=Protocol(slice_mm=5.0, matrix=128))
    return volume, find_brain(volume)


def _columns(volume: Volume, brain: Brain, share: float) -> tuple[Volume, Volume]:
    """Cut a head at its right: columns left out, and the same filled as beyond a field of view."""
    at = int(np.quantile(np.nonzero(brain.mask)[2], 1 - share))
    filled = volume.hu.copy()
    filled[..., at:] = -3024
    return replace(volume, hu=np.ascontiguousarray(volume.hu[..., :at])), replace(volume, hu=filled)


def test_a_field_of_view_that_cuts_the_brain_is_told(whole):
    assert _measured(whole[0]).beside == 0
    for cut in _columns(*whole, 0.06):
        record = prepare(cut, PrepareConfig()).record
        assert any("the field of view leaves out" in doubt for doubt in record.doubts)


def test_a_field_of_view_that_cuts_off_much_of_the_brain_is_refused(whole):
    for cut in _columns(*whole, 0.16):
        with pytest.raises(NotCovered, match="field of view leaves out about"):
            prepare(cut, PrepareConfig())


def test_the_real_head_lies_within_its_field_of_view(ge_volume, ge_brain, ge_pose):
    assert measure_coverage(ge_volume, ge_brain, ge_pose).beside == 0
