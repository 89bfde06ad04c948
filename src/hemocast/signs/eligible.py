"""The one gate to a model's input: a scan that already shows blood does not pass."""

from __future__ import annotations

from pathlib import Path

from hemocast.anatomy import find_brain
from hemocast.config import PrepareConfig
from hemocast.errors import BloodPresent
from hemocast.prepare import prepare, prepare_cached
from hemocast.signs.blood import find_blood
from hemocast.volume import Stack, Volume


def eligible_stack(volume: Volume, config: PrepareConfig, *, cache: Path | None = None) -> Stack:
    """Prepare a scan for training or prediction, unless it already shows blood.

    Parameters
    ----------
    volume : Volume
        The scan.
    config : PrepareConfig
        The settings.
    cache : Path, optional
        Folder of prepared scans, as for `prepare_cached`; only eligible scans are kept.

    Returns
    -------
    Stack
        That of `prepare`.

    Raises
    ------
    BloodPresent
        The scan shows a hematoma.
    NotHounsfield, NotABrain, NotAligned
        As `prepare` does.
    """

    def make() -> Stack:
        brain = find_brain(volume)
        blood = find_blood(volume, brain)
        if blood.present:
            raise BloodPresent(
                f"The scan already shows about {blood.volume_ml:.1f} mL of blood",
                "a scan taken before any bleeding",
                "Use an earlier scan; hemorrhagic transformation can no longer be predicted here",
            )
        return prepare(volume, config, brain)

    if cache is None:
        return make()
    return prepare_cached(volume, config, cache, make, name="eligible")
