"""Where a map's cells lie."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from hemocast.config import NetConfig
from hemocast.nets import MapGrid, ctnet_grid


def test_an_even_grid_ends_where_the_stack_ends() -> None:
    grid = MapGrid.even((14, 16, 16), (28, 192, 192))
    assert (grid.step, grid.origin) == ((2, 12, 12), (0.5, 5.5, 5.5))
    assert grid.per_frame
    flat = MapGrid.even((16, 16), (28, 192, 192))
    assert (flat.step, flat.per_frame) == ((12, 12), False)


@pytest.mark.parametrize(
    "wrong", [{"step": (1,), "origin": (0,)}, {"step": (1, 1), "origin": (0,)},
              {"step": (0, 1), "origin": (0, 0)}]
)  # fmt: skip
def test_a_grid_that_cannot_be_is_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        MapGrid(**wrong)


def test_ctnets_grid_follows_its_layers() -> None:
    """Pixels of 3, a stem without padding that starts on the second, two halvings."""
    grid = ctnet_grid(NetConfig(pool=3))
    assert (grid.step, grid.origin) == ((2, 12, 12), (0, 4, 4))
    assert ctnet_grid(NetConfig(widths=(8,), pool=1)).step == (1, 4, 4)
    assert ctnet_grid(NetConfig(name="ctnet2d")).step == (24, 24)
