"""Which networks are compared, with what settings and how many seeds.

Comparators stand twice where it tells something: with a mirror channel (``+ mirror``), and from the
plain picture, as their authors gave it to them. They look at pixels of 3 mm; the ablations of CTNet
do too, and take away one thing each; like ``+ record``, which is told of the clinical record as
well, they learn with the settings before the search.
"""

from __future__ import annotations

from hemocast.config import Config, NetConfig, Settings, TrainConfig


class Recipe(Settings):
    """A network, how it is trained, and how often.

    Parameters
    ----------
    name : str
        In the table.
    net : NetConfig
        Its settings.
    train : TrainConfig
        How it is trained; the seed is set by the row.
    seeds : int
        How many, from 0.
    """

    name: str
    net: NetConfig
    train: TrainConfig = TrainConfig()
    seeds: int = 2

    def config(self, seed: int, epochs: int | None = None) -> Config:
        """Return the settings of one row.

        Parameters
        ----------
        seed : int
            Of inner parts, first weights, batches and augmentation.
        epochs : int, optional
            In place of the recipe's.
        """
        changes = {"seed": seed} | ({} if epochs is None else {"epochs": epochs})
        return Config(net=self.net, train=self.train.model_copy(update=changes))


_CTNET = TrainConfig(learning_rate=1.5e-3, weight_decay=8e-3)
_WOZNIAK = TrainConfig(learning_rate=6.7e-4, weight_decay=7e-2)
_SOUNDARI = TrainConfig(learning_rate=4.1e-3, weight_decay=1.4e-3, batch_size=32)
"""Of `ctnet3d` and both in style with the mirror channel; each, with its dropout below, found by
the same search (``benchmarks/tune_recipes.py``) on the 474 patients: 8 trials of 9 epochs each, on
inner validation. `ctnet2d` and the plain pictures take what was found for these."""

_SHORT = TrainConfig(epochs=12)
_SLOW = TrainConfig(epochs=12, learning_rate=5e-4)
"""For networks of millions of parameters; neither was searched for."""


def _recipe(
    name: str, net: str, train: TrainConfig = _SHORT, mirror: bool = True, dropout: float = 0.2
) -> Recipe:
    settings = NetConfig(name=net, pool=3, mirror=mirror, relief=False, dropout=dropout)
    return Recipe(name=name, net=settings, train=train)


RECIPES = (
    Recipe(name="ctnet3d", net=NetConfig(name="ctnet3d", dropout=0.48), train=_CTNET, seeds=5),
    Recipe(name="ctnet2d", net=NetConfig(name="ctnet2d", dropout=0.48), train=_CTNET),
    Recipe(name="ctnet3d + record", net=NetConfig(name="ctnet3d"), train=TrainConfig(record=True)),
    _recipe("ctnet3d, no relief", "ctnet3d"),
    _recipe("ctnet2d, no relief", "ctnet2d"),
    Recipe(
        name="ctnet3d, fluid kept",
        net=NetConfig(name="ctnet3d", pool=3, fluid_hu=None),
        train=_SHORT,
    ),
    _recipe("wozniak-style + mirror", "wozniak-style", _WOZNIAK, dropout=0.06),
    _recipe("wozniak-style", "wozniak-style", _WOZNIAK, mirror=False, dropout=0.06),
    _recipe("soundari-style + mirror", "soundari-style", _SOUNDARI, dropout=0.26),
    _recipe("soundari-style", "soundari-style", _SOUNDARI, mirror=False, dropout=0.26),
    _recipe("resnet10 + mirror", "resnet10", _SLOW),
    _recipe("frames-mean + mirror", "frames-mean"),
    _recipe("frames-attention + mirror", "frames-attention"),
    _recipe("resnet18 + mirror", "resnet18", _SLOW),
    _recipe("densenet121 + mirror", "densenet121", _SLOW),
    _recipe("resnet10", "resnet10", _SLOW, mirror=False),
)
"""In the order of the table."""
