"""What the long runs on simulated patients share: their folder, their model, their predictions."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from hemocast.config import Config, Settings, SimulateConfig
from hemocast.dataset import Dataset
from hemocast.errors import OutputExists
from hemocast.files import (
    TEMPORARY,
    Output,
    check_space,
    claim,
    kind_of,
    remove_temporary,
    table_text,
)
from hemocast.pipeline.train import Purpose, Trained, TrainOptions, train_and_test

Progress = Callable[[str, int, int], None]

MODEL = "model"

HORIZON = "hemorrhagic transformation as the simulation defines it, no time horizon"
POPULATION = "simulated heads, half of them with HT by design"

_SCAN_MM = 180


@dataclass(frozen=True)
class RunOptions:
    """How a run is to be done.

    Parameters
    ----------
    seed : int
        Of the cohort, the split, the training and all else that is drawn.
    workers : int
        Processes.
    progress : callable, optional
        Called with (stage, done, total).
    """

    seed: int = 0
    workers: int = 1
    progress: Progress | None = None


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run.

    Parameters
    ----------
    kind : str
        What is made, such as ``"demonstration"``.
    plan : str
        The file in it that holds the settings.
    results : tuple of str
        Files and folders that the end of a run writes.
    copies : int
        Of every scan, at 16 bits a voxel, that what lies on the disk in the end amounts to.
    """

    kind: str
    plan: str
    results: tuple[str, ...]
    copies: int

    @contextmanager
    def open(self, out: Path, settings: Settings, simulate: SimulateConfig) -> Iterator[Output]:
        """Claim a folder, new or begun with the same settings, after every check there is.

        Parameters
        ----------
        out : Path
            The folder.
        settings : Settings
            Of the run.
        simulate : SimulateConfig
            The cohort that will lie in it.

        Raises
        ------
        MissingExtra
            Training needs what is not installed.
        OutputExists
            It holds something else.
        NotWritable, NoSpace, InUse
            It cannot be written to, is too small, or is written to by another run.
        """
        from hemocast.train import fit  # noqa: F401 - an extra that lacks is told of at once

        begun = _holds(out / self.plan, settings)
        if not begun and kind_of(out) == self.kind:
            raise OutputExists(
                "The output folder holds a run that these settings did not make",
                "a new folder, or that of an interrupted run with the same settings",
                "Name another folder with --out",
            )
        check_space(out, self.copies * bytes_of(simulate))
        recorded = kind_of(out) is not None
        with claim(out, self.kind, also=begun) as output:
            remove_temporary(out)
            if begun and not recorded:
                output.set_aside(".", self.results)
            output.check()
            if not begun:
                text = yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False)
                output.write_text(self.plan, text)
            yield output


def _holds(path: Path, settings: Settings) -> bool:
    """Whether a file holds these settings."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return type(settings).model_validate(content) == settings
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError):
        return False


def bytes_of(simulate: SimulateConfig) -> int:
    """Estimate what all scans of a cohort take at 16 bits a voxel."""
    scans = (simulate.n_ht + simulate.n_non) * simulate.scans_per_patient
    voxels = simulate.matrix**2 * _SCAN_MM / simulate.slice_mm
    return round(scans * 2 * voxels)


def train_into(
    out: Path,
    dataset: Dataset,
    config: Config,
    name: str,
    test_fraction: float,
    options: RunOptions,
) -> Trained:
    """Train and test; the model goes to ``model`` in `out`, where the same one may lie already.

    Parameters
    ----------
    out : Path
        The run's folder.
    dataset, config, test_fraction
        As for `hemocast.pipeline.train.train_and_test`.
    name : str
        Of the model.
    options : RunOptions
        How to run.

    Raises
    ------
    OutputExists
        ``model`` holds something else than this training gives.
    """
    with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=out) as scratch:
        made = Path(scratch) / MODEL
        trained = train_and_test(
            dataset,
            config,
            made,
            Purpose(name, HORIZON, POPULATION),
            TrainOptions(test_fraction, workers=options.workers, progress=options.progress),
        )
        if not (out / MODEL).exists():
            made.rename(out / MODEL)
        elif any(not _same(path, out / MODEL / path.name) for path in made.iterdir()):
            raise OutputExists(
                "The model in the output folder is not the one that this training gives",
                "no model there, or the same one",
                "Move it away, or name another folder with --out",
            )
    return trained


def _same(first: Path, second: Path) -> bool:
    return second.is_file() and first.read_bytes() == second.read_bytes()


COLUMNS = (
    "participant_id", "scan_id", "label", "probability", "model", "threshold", "simulated",
)  # fmt: skip


def predictions_table(
    trained: Trained, models: Sequence[tuple[str, Sequence[float], float]]
) -> str:
    """Return ``predictions.csv`` of the held-out scans.

    Parameters
    ----------
    trained : Trained
        Whose held-out scans they are.
    models : sequence of (str, sequence of float, float)
        Name, probability of every held-out scan, and threshold.
    """
    rows = (
        {
            "participant_id": scan.participant_id,
            "scan_id": scan.scan_id,
            "label": int(label),
            "probability": round(float(probability), 6),
            "model": name,
            "threshold": round(threshold, 6),
            "simulated": 1,
        }
        for name, probabilities, threshold in models
        for scan, label, probability in zip(trained.test, trained.label, probabilities, strict=True)
    )
    return table_text(rows, COLUMNS)
