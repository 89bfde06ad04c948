"""The settings of the rows are those that their names say."""

from __future__ import annotations

from hemocast.config import COMPARATORS, CTNETS
from hemocast.pipeline.benchmark.recipes import RECIPES


def test_every_built_in_network_is_compared() -> None:
    assert {recipe.net.name for recipe in RECIPES} == {*CTNETS, *COMPARATORS}
    assert len({recipe.name for recipe in RECIPES}) == len(RECIPES)


def test_a_mirror_in_the_name_is_one_in_the_settings() -> None:
    for recipe in RECIPES:
        ctnet = recipe.net.name in CTNETS
        assert recipe.net.mirror == (ctnet or recipe.name.endswith("+ mirror"))
        assert (recipe.net.fluid_hu is None) == recipe.name.endswith("fluid kept")


def test_seed_and_epochs_are_the_rows_own() -> None:
    config = RECIPES[0].config(3, epochs=2)
    assert (config.train.seed, config.train.epochs) == (3, 2)
    assert RECIPES[0].config(3).train.epochs == RECIPES[0].train.epochs
