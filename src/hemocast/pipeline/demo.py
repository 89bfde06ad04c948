"""The whole way once, on simulated scans, exactly as a user's own would go."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hemocast.config import Config, SimulateConfig, TrainConfig, load_config, save_config
from hemocast.dataset import Dataset, participant_id
from hemocast.dataset.ingest.run import IngestReport, ingest
from hemocast.dataset.layout import write_json, write_text
from hemocast.dataset.pseudonym import known_key
from hemocast.dicom import read, read_nifti
from hemocast.errors import OutputExists
from hemocast.pipeline.clock import Clock, stage_of
from hemocast.pipeline.predict import CaseResult, predict_paths
from hemocast.pipeline.simulated_truth import Told, mask_on_stack
from hemocast.pipeline.train import Purpose, Trained, train_and_test
from hemocast.report import (
    DemoCohort,
    DemoExample,
    DemoHistory,
    DemoPart,
    DemoResult,
    write_demo_page,
)
from hemocast.simulate import DEMO, Patient, Truth, simulate_cohort
from hemocast.stats import auc_interval

if TYPE_CHECKING:
    from hemocast.model import Model

Progress = Callable[[str, int, int], None]

PURPOSE = Purpose(
    name="demonstration",
    horizon="hemorrhagic transformation as the simulation defines it, no time horizon",
    population="simulated heads, half of them with HT by design",
)
# A hundred scans give few steps in an epoch: 12 epochs stop while the network still learns.
CONFIG = Config(train=TrainConfig(epochs=20))
# 25 of 70 patients of each class: 50 for testing, 25 of them with HT.
TEST_FRACTION = 25 / 70
# The new patient comes from another draw than any cohort of a small seed.
NEW_PATIENT = 1_000_000


@dataclass(frozen=True)
class Demo:
    """What the demonstration left.

    Parameters
    ----------
    page : Path
        Its report.
    result : DemoResult
        What the page shows.
    """

    page: Path
    result: DemoResult


def run_demo(
    out: Path, *, seed: int = 0, workers: int = 1, progress: Progress | None = None
) -> Demo:
    """Simulate, ingest, split, prepare, train, test, predict a new scan, and write the page.

    Parameters
    ----------
    out : Path
        Folder for everything; new, or of an interrupted run with the same seed, which goes on.
    seed : int
        Of the cohort, the split and the training. Not chosen for its result: docs/demo.md has 20.
    workers : int
        Processes.
    progress : callable, optional
        Called with (stage, done, total).

    Raises
    ------
    OutputExists
        `out` holds something else.
    """
    config = CONFIG.model_copy(update={"train": CONFIG.train.model_copy(update={"seed": seed})})
    simulation = DEMO.model_copy(update={"seed": seed, "masks": True})
    _claim(out, config)
    clock = Clock()
    with clock.stage("simulate as DICOM"):
        truth = simulate_cohort(
            simulation,
            out / "simulated",
            workers=workers,
            progress=stage_of(progress, "simulating"),
        )
    dataset = Dataset(out / "dataset")
    key = known_key(f"demo {seed}")
    write_text(out / "dataset.key", key.hex() + "\n")
    with clock.stage("read DICOM into a dataset"):
        report = ingest(
            [truth.dicom],
            dataset.root,
            key,
            labels=truth.labels,
            workers=workers,
            progress=stage_of(progress, "ingesting"),
        )
    # An earlier run with the same seed left the same model: the folder is this demonstration's own.
    shutil.rmtree(out / "model", ignore_errors=True)
    with clock.stage("prepare, train, test"):
        trained = train_and_test(
            dataset,
            config,
            out / "model",
            PURPOSE,
            test_fraction=TEST_FRACTION,
            workers=workers,
            progress=progress,
        )
    with clock.stage("predict a new scan"):
        new = _predict_new(simulation, trained.model, out)
    told = Told(truth, {participant_id(key, p.patient_id): p for p in truth.patients})
    result = _result(config, told, report, trained, new, clock)
    page = out / "report.html"
    write_demo_page(result, page)
    write_json(out / "demo.json", _summary(result, seed))
    return Demo(page, result)


def _claim(out: Path, config: Config) -> None:
    settings = out / "demo.yaml"
    if settings.is_file() and load_config(settings) == config:
        return
    if out.exists() and any(out.iterdir()):
        raise OutputExists(
            "The folder for the demonstration holds something else",
            "a new folder, or that of an interrupted run with the same seed",
            "Name another folder with --out, or remove this one",
        )
    out.mkdir(parents=True, exist_ok=True)
    save_config(config, settings)


@dataclass(frozen=True)
class _New:
    """The new patient's scan, predicted from its DICOM folder."""

    patient: Patient
    folder: Path
    lesion: Path
    case: CaseResult


def _predict_new(simulation: SimulateConfig, model: Model, out: Path) -> _New:
    one = simulation.model_copy(
        update={"seed": simulation.seed + NEW_PATIENT, "n_ht": 1, "n_non": 1}
    )
    truth = simulate_cohort(one, out / "new")
    patient = truth.patients[0]
    name = patient.scans[0].folder
    (case,) = predict_paths([truth.dicom / name], model, out / "predictions")
    lesion = truth.folder / "truth" / "masks" / f"{name}.nii.gz"
    return _New(patient, truth.dicom / name, lesion, case)


def _result(
    config: Config, told: Told, report: IngestReport, trained: Trained, new: _New, clock: Clock
) -> DemoResult:
    refused = Counter(item.code for item in report.refused)
    refused += Counter(item.error.code for item in trained.refused if item.error)
    return DemoResult(
        cohort=_cohort(told.truth),
        refused=tuple(sorted(refused.items())),
        parts=_parts(trained),
        overlap=sum(trained.receipt["patient_overlap"].values()),
        split_hash=trained.receipt["parts"]["test"]["sha256"],
        evaluation=trained.evaluation,
        label=trained.label,
        probability=trained.probability,
        true_risk=np.array([told.patient(scan).risk for scan in trained.test]),
        patient=np.array([scan.participant_id for scan in trained.test]),
        history=_history(trained),
        examples=tuple(_examples(told, trained)),
        new_scan=_new_example(new),
        new_source=read(new.folder).source,
        model_settings=_model_settings(config, trained),
        seconds=tuple(clock.seconds),
    )


def _cohort(truth: Truth) -> DemoCohort:
    config = truth.config
    return DemoCohort(
        n_patients=len(truth.patients),
        n_scans=sum(len(patient.scans) for patient in truth.patients),
        n_events=sum(patient.label for patient in truth.patients),
        visibility=f"infarcts take up {config.visibility:g} times the water they would",
        settings=(
            ("Image's share of the log odds, multiplied by", f"{config.image_strength:g}"),
            ("Clinical share of the log odds, multiplied by", f"{config.clinical_strength:g}"),
            ("Infarct volume, median", f"{config.volume_median_ml:g} mL"),
            ("Matrix", f"{config.matrix} x {config.matrix}, {config.slice_mm:g} mm slices"),
            ("Noise", f"{config.noise_low_hu:g} to {config.noise_high_hu:g} HU"),
            ("Scans with a tilted gantry", f"{config.tilt_fraction:.0%}"),
        ),
        seed=config.seed,
    )


def _parts(trained: Trained) -> tuple[DemoPart, ...]:
    """Training and inner validation patients, and the test part; events are counted by patient."""
    fitted, receipt = trained.fitted, trained.receipt["parts"]
    inner = set(fitted.validation_participants)
    scans = Counter(fitted.validation_participant_id)
    validation = DemoPart(
        "validation (inner)",
        len(inner),
        sum(scans.values()),
        len(
            {
                p
                for p, y in zip(
                    fitted.validation_participant_id, fitted.validation_label, strict=True
                )
                if y
            }
        ),
    )
    train = DemoPart(
        "training",
        len(fitted.train_participants),
        fitted.n_scans - validation.n_scans,
        receipt["train"]["ht"] - validation.n_events,
    )
    test = DemoPart("test", receipt["test"]["patients"], len(trained.test), receipt["test"]["ht"])
    return train, validation, test


def _history(trained: Trained) -> DemoHistory:
    history = trained.fitted.history
    return DemoHistory(
        train_loss=np.array([epoch.train_loss for epoch in history]),
        validation_loss=np.array([epoch.validation_loss for epoch in history]),
        validation_auc=np.array([epoch.validation_auc for epoch in history]),
        best_epoch=trained.fitted.best_epoch,
    )


def _examples(told: Told, trained: Trained) -> Iterator[DemoExample]:
    """Pick by rule, not by eye: the surest of each class, and the worst miss."""
    probability, label = trained.probability, trained.label
    surest_ht = int(np.where(label == 1, probability, -1).argmax())
    surest_non = int(np.where(label == 0, probability, 2).argmin())
    worst = int(np.abs(probability - label).argmax())
    yield _example(told, trained, surest_ht, "HT", "The scan with HT that the model is surest of.")
    yield _example(
        told, trained, surest_non, "No HT", "The scan without HT that the model is surest of."
    )
    yield _example(
        told,
        trained,
        worst,
        "Worst miss",
        "The test scan whose probability is furthest from truth.",
    )


def _example(told: Told, trained: Trained, index: int, title: str, explanation: str) -> DemoExample:
    scan = trained.test[index]
    prediction = trained.model.predict(read_nifti(scan.path), scan_id=scan.scan_id)
    return DemoExample(
        title=title,
        explanation=explanation,
        prediction=prediction,
        label=int(trained.label[index]),
        true_risk=told.patient(scan).risk,
        lesion=told.lesion(scan, prediction.stack),
    )


def _new_example(new: _New) -> DemoExample:
    if new.case.prediction is None:
        raise RuntimeError(f"the new simulated scan was refused: {new.case.message}")
    return DemoExample(
        title="A new scan",
        explanation="Read from its DICOM folder by the same code as 'hemocast predict'.",
        prediction=new.case.prediction,
        label=new.patient.label,
        true_risk=new.patient.risk,
        lesion=mask_on_stack(new.lesion, new.case.prediction.stack),
    )


def _model_settings(config: Config, trained: Trained) -> tuple[tuple[str, str], ...]:
    net, prepare, fitting = config.net, config.prepare, config.train
    return (
        ("Network", net.name),
        ("Frames", f"{prepare.frames} of {prepare.frame_mm:g} mm, {prepare.pixel_mm:g} mm pixels"),
        ("Window", f"{prepare.window_low:g} to {prepare.window_high:g} HU"),
        ("Features", f"{net.stem}, then {', '.join(map(str, net.widths))}"),
        ("Mirror channel", "yes" if net.mirror else "no"),
        ("Epochs", f"{len(trained.fitted.history)} of at most {fitting.epochs}"),
        ("Seed", str(fitting.seed)),
    )


def _summary(result: DemoResult, seed: int) -> dict[str, object]:
    """The demonstration in numbers, for the table over seeds in docs/demo.md."""
    ceiling = auc_interval(result.label, result.true_risk, result.patient)
    test = result.parts[-1]
    auc = result.evaluation["auc"]
    return {
        "simulated": True,
        "seed": seed,
        "test_patients": test.n_patients,
        "test_ht": test.n_events,
        "auc": auc.value,
        "auc_low": auc.ci_low,
        "auc_high": auc.ci_high,
        "auc_ci": auc.ci_method,
        "ceiling_auc": ceiling.value,
        "refused": dict(result.refused),
        "seconds": dict(result.seconds),
    }
