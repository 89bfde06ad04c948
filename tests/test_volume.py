"""Volume and Stack refuse what they are not, and a content hash follows the content."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.volume import Source, Stack, StackRecord, Volume

AFFINE = np.diag([-0.5, -0.5, 5.0, 1.0])


def _volume(hu: np.ndarray, affine: np.ndarray = AFFINE) -> Volume:
    return Volume(hu, affine, ((),) * hu.shape[0], Source("array", "0" * 16))


def test_spacing_is_in_array_order() -> None:
    assert _volume(np.zeros((3, 4, 5), np.float32)).spacing == (5.0, 0.5, 0.5)


def test_the_content_hash_follows_values_and_geometry() -> None:
    hu = np.zeros((3, 4, 5), np.float32)
    other = hu.copy()
    other[1, 2, 3] = 1
    assert _volume(hu).content_hash() == _volume(hu.copy()).content_hash()
    assert _volume(hu).content_hash() != _volume(other).content_hash()
    assert _volume(hu).content_hash() != _volume(hu, AFFINE * 1.01).content_hash()
    assert _volume(hu).content_hash() != _volume(hu.reshape(3, 5, 4)).content_hash()


def test_a_minus_zero_is_a_zero() -> None:
    hu = np.zeros((3, 4, 5), np.float32)
    assert _volume(-hu).content_hash() == _volume(hu).content_hash()
    signed = AFFINE.copy()
    signed[0, 1] = -0.0
    assert _volume(hu, signed).content_hash() == _volume(hu).content_hash()


@pytest.mark.parametrize(
    ("hu", "affine"),
    [
        (np.zeros((3, 4), np.float32), AFFINE),
        (np.zeros((3, 4, 5)), AFFINE),
        (np.zeros((3, 4, 5), np.float32), AFFINE[:3]),
    ],
)
def test_a_wrong_volume_is_refused(hu: np.ndarray, affine: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be"):
        _volume(hu, affine)


def test_every_slice_needs_its_record() -> None:
    with pytest.raises(ValueError, match="2 slice records for 3 slices"):
        Volume(np.zeros((3, 4, 5), np.float32), AFFINE, ((), ()), Source("array", ""))


def test_a_stack_needs_a_mask_of_its_shape() -> None:
    record = StackRecord("", "", (0, 0, 0), (0, 0, 0), 1200, 0, 0, 0)
    frames = np.zeros((28, 4, 5), np.float32)
    assert Stack(frames, frames > 0, AFFINE, record).spacing == (5.0, 0.5, 0.5)
    with pytest.raises(ValueError, match="brain must be"):
        Stack(frames, np.zeros((28, 5, 4), bool), AFFINE, record)


def test_a_volume_and_a_stack_say_in_one_line_what_they_are() -> None:
    assert repr(_volume(np.zeros((3, 4, 5), np.float32))) == (
        "Volume(3 x 4 x 5 voxels of 5 x 0.5 x 0.5 mm, array)"
    )
    record = StackRecord("", "", (0, 0, 0), (0, 0, 0), 1200, 0, 0, 0)
    frames = np.zeros((28, 4, 5), np.float32)
    assert repr(Stack(frames, frames > 0, AFFINE, record)) == (
        "Stack(28 x 4 x 5 voxels of 5 x 0.5 x 0.5 mm, 1200 mL of brain)"
    )


def test_an_emptied_volume_keeps_its_place_and_takes_no_room():
    hu = np.ones((3, 4, 5), np.float32)
    volume = Volume(hu, np.diag([1.0, 2.0, 3.0, 1.0]), ((),) * 3, Source("array", "x"))
    emptied = volume.emptied()
    assert emptied.hu.shape == hu.shape
    assert not emptied.hu.any()
    assert emptied.hu.base is not None
    assert max(emptied.hu.strides) == 0
    np.testing.assert_array_equal(emptied.affine, volume.affine)
