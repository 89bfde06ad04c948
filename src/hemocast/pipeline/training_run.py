"""The folder of a training run: bound to its settings, data and split, and held by one process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hemocast.config import Config
from hemocast.dataset import Split
from hemocast.dataset.split.by_patient import part_hash
from hemocast.errors import OutputExists
from hemocast.files import Output, claim, kind_of, remove_temporary
from hemocast.pipeline.training_data import Cohort
from hemocast.train import STACKS

TEST_PREDICTIONS, TEST_METRICS = "test_predictions.tsv", "test_metrics.json"
HISTORY = "training"
"""Figure of the learning curve."""
BINDING = "run.json"
_KIND = "training run"


@dataclass(frozen=True)
class Run:
    """A training run.

    Parameters
    ----------
    name : str
        Of the model, and of the run's folder.
    cohort : Cohort
        All patients.
    split : Split
        Who is trained on and who is tested.
    config : Config
        The settings.
    """

    name: str
    cohort: Cohort
    split: Split
    config: Config

    @property
    def folder(self) -> Path:
        """Where its stacks, state and result lie."""
        return self.cohort.dataset.root / "derivatives" / "hemocast" / "runs" / self.name

    @contextmanager
    def open(self) -> Iterator[Output]:
        """Hold the folder, new or of this very run.

        Raises
        ------
        OutputExists
            It holds another run, or a result that was changed since.
        InUse
            Another process holds it.
        """
        from hemocast.train.checkpoint import was_begun_with

        folder = self.folder
        known = kind_of(folder) is not None
        older = not known and (folder / STACKS).is_file()
        filled = folder.is_dir() and any(path.name[0] != "." for path in folder.iterdir())
        ours = known or (older and was_begun_with(folder / "training", self.config))
        if filled and not ours:
            raise self._other()
        with claim(folder, _KIND, also=older) as output:
            remove_temporary(folder)
            if (folder / BINDING).exists() and read_binding(folder / BINDING) != self._binding():
                raise self._other()
            if older:
                output.set_aside(".", (TEST_PREDICTIONS, TEST_METRICS))
            figures = (f"figures/{HISTORY}.{end}" for end in ("svg", "png"))
            output.check([TEST_PREDICTIONS, TEST_METRICS, *figures])
            yield output

    def bind(self, output: Output) -> None:
        """Write down which run the folder belongs to, once nothing more can refuse it."""
        if not (self.folder / BINDING).exists():
            output.write_json(BINDING, self._binding())

    def _binding(self) -> dict[str, Any]:
        parts = {part: part_hash(ids) for part, ids in self.split.parts.items() if ids}
        return {
            "schema_version": 1,
            "config": self.config.model_dump(mode="json"),
            "data_sha256": self.cohort.sha256(self.config),
            "split_sha256": parts,
        }

    def _other(self) -> OutputExists:
        return OutputExists(
            f"The dataset holds a training run named {self.name!r} of other settings, data or "
            "split, or files that are none of a run",
            "a new name, or that run again as it was",
            "Choose another name with --name",
        )


def bind(output: Output, name: str, binding: dict[str, Any], what: str) -> None:
    """Write down which run a folder belongs to, or refuse another's.

    Parameters
    ----------
    output : Output
        The folder.
    name : str
        File of the binding.
    binding : dict
        The run's data and settings, as JSON holds them.
    what : str
        What the folder holds where they differ.

    Raises
    ------
    OutputExists
        It belongs to another run.
    """
    if not (output.folder / name).exists():
        output.write_json(name, binding)
    elif read_binding(output.folder / name) != binding:
        raise OutputExists(
            f"The folder holds {what}",
            "a new folder, or the same again as it was",
            "Name another folder with --out",
        )


def read_binding(path: Path) -> object:
    """Read which run a folder belongs to; None where that cannot be read."""
    with suppress(OSError, ValueError, RecursionError):
        return json.loads(path.read_text(encoding="utf-8"))
    return None
