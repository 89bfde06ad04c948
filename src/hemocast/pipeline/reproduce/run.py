"""The paper, made again in form: a simulated cohort, CTNet, simulated readers, tables, figures.

Every stage leaves its files; a run that was stopped goes on where it was when started again.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from hemocast.config import Config, Settings, SimulateConfig, save_config
from hemocast.dataset import Dataset
from hemocast.dataset.layout import write_text
from hemocast.dataset.stacks import ScanFile, scans_of
from hemocast.errors import OutputExists
from hemocast.evaluate.result import EvaluationResult
from hemocast.model import Model, load
from hemocast.pipeline.clock import Clock, stage_of
from hemocast.pipeline.evaluate import evaluate_files
from hemocast.pipeline.reproduce.page import page_of
from hemocast.pipeline.simulated_truth import Told
from hemocast.pipeline.train import Purpose, train_and_test
from hemocast.report.paper.page import write_paper
from hemocast.simulate import PRESETS, simulate_cohort
from hemocast.simulate.readers.draw import PAPER_READERS, simulate_readings, write_readings

Progress = Callable[[str, int, int], None]

PURPOSE = Purpose(
    name="CTNet",
    horizon="hemorrhagic transformation as the simulation defines it, no time horizon",
    population="simulated heads, half of them with HT by design",
)
FAST_PATIENTS = (77, 81)
"""With and without HT: a third of the paper's."""

REPEATS = 0.2
"""Share of the scans that every reader reads twice, for agreement with oneself; ours."""


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


@dataclass(frozen=True)
class Reproduction:
    """What a run left, and all that its page needs.

    Parameters
    ----------
    plan : Plan
        Its settings.
    told : Told
        What the simulator knows.
    dataset : Dataset
        The cohort as a dataset.
    model : Model
        Trained on its training part.
    test : tuple of Tested
        The held-out scans.
    readers, networks : EvaluationResult
        Model and readers; the model beside rules that look at no scan.
    seconds : tuple of (str, float)
        Stages and how long each took in this run.
    """

    plan: Plan
    told: Told
    dataset: Dataset
    model: Model
    test: tuple[Tested, ...]
    readers: EvaluationResult
    networks: EvaluationResult
    seconds: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Tested:
    """A held-out scan: its file, outcome and the model's probability."""

    scan: ScanFile
    label: int
    probability: float
    threshold: float


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


def reproduce(
    out: Path,
    *,
    fast: bool = False,
    seed: int = 0,
    workers: int = 1,
    progress: Progress | None = None,
) -> Path:
    """Simulate, train, let simulated readers read, evaluate, and write the paper's page.

    Parameters
    ----------
    out : Path
        Folder for everything; new, or of an interrupted run with the same settings.
    fast : bool
        A third of the patients, in coarser images.
    seed : int
        Of the cohort, the split, the training and the readers. Not chosen for its result.
    workers : int
        Processes.
    progress : callable, optional
        Called with (stage, done, total).

    Returns
    -------
    Path
        The page.

    Raises
    ------
    OutputExists
        `out` holds something else.
    """
    plan = make_plan(fast=fast, seed=seed)
    _claim(out, plan)
    clock = Clock()
    with clock.stage("simulate"):
        truth = simulate_cohort(
            plan.simulate,
            out / "simulated",
            format="dataset",
            workers=workers,
            progress=stage_of(progress, "simulating"),
        )
    dataset = Dataset(truth.visible)
    with clock.stage("prepare, train, test"):
        model, test = _trained(dataset, plan, out / "model", workers, progress)
    told = Told.of(truth)
    _write_predictions(out / "predictions.csv", test)
    _write_networks(out / "networks.csv", dataset, test)
    with clock.stage("simulated readers"):
        _read_scans(out / "readings.csv", told, test, seed)
    with clock.stage("evaluate"):
        readers = evaluate_files(
            out / "predictions.csv",
            out / "evaluation",
            readings=out / "readings.csv",
            clinical=dataset.root / "clinical.tsv",
            progress=progress,
        )
        networks = evaluate_files(out / "networks.csv", out / "networks", progress=progress)
    done = Reproduction(plan, told, dataset, model, test, readers, networks, tuple(clock.seconds))
    return write_paper(page_of(done), out)


def _claim(out: Path, plan: Plan) -> None:
    settings = out / "reproduce.yaml"
    try:
        if Plan.model_validate(yaml.safe_load(settings.read_text(encoding="utf-8"))) == plan:
            return
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError):
        pass  # no settings of ours: the folder must be empty, or is refused below
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputExists(
            "The output folder holds something that these settings did not make",
            "a new or empty folder, or the same run unfinished",
            "Choose another folder with --out, or remove this one",
        )
    out.mkdir(parents=True, exist_ok=True)
    save_config(plan, settings)


def _trained(
    dataset: Dataset, plan: Plan, folder: Path, workers: int, progress: Progress | None
) -> tuple[Model, tuple[Tested, ...]]:
    """Train and test, unless an earlier run got that far."""
    table = dataset.root / "derivatives" / "hemocast" / "runs" / PURPOSE.name
    results = table / "test_predictions.tsv"
    if not (results.is_file() and folder.is_dir()):
        shutil.rmtree(folder, ignore_errors=True)
        train_and_test(
            dataset,
            plan.run,
            folder,
            PURPOSE,
            test_fraction=plan.test_fraction,
            workers=workers,
            progress=progress,
        )
    files = {scan.scan_id: scan for scan in scans_of(dataset)}
    rows = csv.DictReader(io.StringIO(results.read_text(encoding="utf-8")), delimiter="\t")
    test = tuple(
        Tested(
            files[row["scan_id"]],
            int(row["label"]),
            float(row["probability"]),
            float(row["threshold"]),
        )
        for row in rows
    )
    return load(folder), test


PREDICTION_COLUMNS = (
    "participant_id", "scan_id", "label", "probability", "model", "threshold", "simulated",
)  # fmt: skip


def _prediction(tested: Tested, model: str, probability: float, threshold: float) -> list[str]:
    scan = tested.scan
    return [
        scan.participant_id, scan.scan_id, str(tested.label), f"{probability:.6f}", model,
        f"{threshold:.6f}", "1",
    ]  # fmt: skip


def _write_predictions(path: Path, test: tuple[Tested, ...]) -> None:
    rows = [_prediction(one, PURPOSE.name, one.probability, one.threshold) for one in test]
    _write_csv(path, rows)


def _write_networks(path: Path, dataset: Dataset, test: tuple[Tested, ...]) -> None:
    """CTNet and two rules without a look: all positive, and the training part's share of HT."""
    tested = {one.scan.participant_id for one in test}
    labels = [label for patient, label in dataset.labels().items() if patient not in tested]
    share = sum(labels) / len(labels)
    rows = [_prediction(one, PURPOSE.name, one.probability, one.threshold) for one in test]
    rows += [_prediction(one, "All positive", 1.0, 0.5) for one in test]
    rows += [_prediction(one, "Prevalence alone", share, 0.5) for one in test]
    _write_csv(path, rows)


def _write_csv(path: Path, rows: list[list[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([PREDICTION_COLUMNS, *rows])
    write_text(path, text.getvalue())


def _read_scans(path: Path, told: Told, test: tuple[Tested, ...], seed: int) -> None:
    """Let the paper's eight readers, simulated, read the held-out scans."""
    readings = simulate_readings(
        [one.scan.participant_id for one in test],
        [one.scan.scan_id for one in test],
        [one.label for one in test],
        [told.patient(one.scan).risk_image for one in test],
        PAPER_READERS,
        seed=seed,
        repeats=REPEATS,
    )
    write_readings(path, readings)
