"""With what settings the paper is made again."""

from __future__ import annotations

from hemocast.config import Config, Settings, SimulateConfig
from hemocast.simulate import PRESETS

FAST_PATIENTS = (77, 81)
"""With and without HT: a third of the paper's."""


class Plan(Settings):
    """What a run is made with.

    Parameters
    ----------
    simulate : SimulateConfig
        The cohort.
    run : Config
        Preparation, network, training.
    test_fraction : float
        Of the patients of each class.
    """

    simulate: SimulateConfig
    run: Config
    test_fraction: float


def make_plan(*, fast: bool, seed: int) -> Plan:
    """Return the settings of a run: the paper's cohort and split, or a third of it.

    The fast run has 158 patients in images of 256 x 256 pixels, and tests 30 % of them: a tenth
    would be 16.
    """
    simulate = PRESETS["paper"].model_copy(update={"seed": seed, "masks": True})
    if fast:
        n_ht, n_non = FAST_PATIENTS
        simulate = simulate.model_copy(update={"n_ht": n_ht, "n_non": n_non, "matrix": 256})
    run = Config()
    run = run.model_copy(update={"train": run.train.model_copy(update={"seed": seed})})
    return Plan(simulate=simulate, run=run, test_fraction=0.3 if fast else 0.1)
