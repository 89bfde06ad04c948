"""The whole way once, on simulated scans, exactly as a user's own would go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hemocast.config import Config, SimulateConfig, TrainConfig
from hemocast.dataset import Dataset
from hemocast.dataset.ingest.run import IngestReport, ingest
from hemocast.dataset.ingest.workers import Workers
from hemocast.dataset.pseudonym import known_key
from hemocast.dicom import read, read_nifti
from hemocast.files import Output, write_text
from hemocast.pipeline.clock import Clock, stage_of
from hemocast.pipeline.evaluate import EvaluationOptions, Tables, evaluate_files
from hemocast.pipeline.predict import cases_of, predict_cases
from hemocast.pipeline.simulated_run import (
    MODEL,
    RunFolder,
    RunOptions,
    predictions_table,
    train_into,
)
from hemocast.pipeline.simulated_truth import SimulatedTruth, lesion_on_stack
from hemocast.pipeline.train import Trained
from hemocast.report.demo import DemoResult, Example, Facts, Part, demo_page
from hemocast.report.evaluation.tables import estimate_json
from hemocast.simulate import DEMO, Truth, simulate_cohort
from hemocast.stats import Resampling
from hemocast.version import SIMULATOR_VERSION

if TYPE_CHECKING:
    from hemocast.evaluate.result import EvaluationResult
    from hemocast.model import Model
    from hemocast.volume import Source

NAME = "demonstration"
CEILING = "True risk"
"""How the risk that the outcomes were drawn from is called beside the model."""

# A hundred scans give few steps in an epoch: 12 epochs stop while the network still learns.
CONFIG = Config(train=TrainConfig(epochs=20))
# 25 of 70 patients of each class: 50 for testing, 25 of them with HT.
TEST_FRACTION = 25 / 70
# The new patient comes from another draw than any cohort of a small seed.
NEW_PATIENT = 1_000_000

FOLDER = RunFolder(NAME, "demo.yaml", ("report.html", "demo.json", MODEL), copies=2)


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


def run_demo(out: Path, options: RunOptions | None = None) -> Demo:
    """Simulate, ingest, split, prepare, train, test, predict a new scan, and write the page.

    Parameters
    ----------
    out : Path
        Folder for everything; new, or of an interrupted run with the same seed, which goes on.
    options : RunOptions, optional
        The seed is not chosen for its result: docs/lab/demo.md has 20.

    Raises
    ------
    MissingExtra, OutputExists, NotWritable, NoSpace, InUse
        Before anything is simulated; see `RunFolder.open`.
    """
    options = options or RunOptions()
    seed = options.seed
    config = CONFIG.model_copy(update={"train": CONFIG.train.model_copy(update={"seed": seed})})
    simulation = DEMO.model_copy(update={"seed": seed, "masks": True})
    with FOLDER.open(out, config, simulation) as output:
        result = _run(output, config, simulation, options)
        output.write_json("demo.json", _summary(result, seed))
        output.write_text("report.html", demo_page(result))
    return Demo(out / "report.html", result)


def _run(
    output: Output, config: Config, simulation: SimulateConfig, options: RunOptions
) -> DemoResult:
    out, clock = output.folder, Clock()
    key = known_key(f"demo {options.seed}")
    dataset = Dataset(out / "dataset")
    with clock.stage("simulate as DICOM"):
        cohort = simulate_cohort(
            simulation,
            out / "simulated",
            workers=options.workers,
            progress=stage_of(options.progress, "simulating"),
        )
    if not (out / "dataset.key").exists():
        write_text(out / "dataset.key", key.hex() + "\n", private=True)
    with clock.stage("read DICOM into a dataset"):
        report = ingest(
            [cohort.dicom],
            dataset.root,
            key,
            labels=cohort.labels,
            prepare=config.prepare,
            workers=Workers(options.workers),
            progress=stage_of(options.progress, "ingesting"),
        )
    with clock.stage("prepare, train, test"):
        trained = train_into(out, dataset, config, NAME, TEST_FRACTION, options)
    truth = SimulatedTruth.of(cohort, key)
    with clock.stage("evaluate"):
        evaluation = _evaluate(output, trained, truth, options)
    with clock.stage("predict a new scan"):
        new_scan, new_source = _predict_new(simulation, trained.model, out / "new")
    receipt = trained.receipt
    return DemoResult(
        evaluation=evaluation,
        simulated=_simulated(cohort),
        parts=_parts(trained),
        overlap=sum(receipt["patient_overlap"].values()),
        split_hash=receipt["parts"]["test"]["sha256"],
        refused=_refused(report, trained),
        history=trained.fitted.history,
        best_epoch=trained.fitted.best_epoch,
        examples=tuple(_examples(truth, trained, dataset.stacks)),
        new_scan=new_scan,
        new_source=new_source,
        model=_model(config, trained),
        seconds=tuple(clock.seconds),
    )


def _evaluate(
    output: Output, trained: Trained, truth: SimulatedTruth, options: RunOptions
) -> EvaluationResult:
    """Evaluate the model on the held-out scans, beside the true risk: nobody can do better."""
    threshold = trained.evaluation.threshold
    risk = [truth.patient(scan).risk for scan in trained.test]
    table = predictions_table(
        trained, [(NAME, trained.probability.tolist(), threshold), (CEILING, risk, 0.5)]
    )
    output.write_text("predictions.csv", table)
    return evaluate_files(
        Tables(output.folder / "predictions.csv"),
        output.folder / "evaluation",
        EvaluationOptions(resampling=Resampling(seed=options.seed)),
        progress=options.progress,
    )


def _predict_new(simulation: SimulateConfig, model: Model, out: Path) -> tuple[Example, Source]:
    """Simulate one patient more, and predict the first scan from its DICOM folder."""
    one = simulation.model_copy(
        update={"seed": simulation.seed + NEW_PATIENT, "n_ht": 1, "n_non": 1}
    )
    cohort = simulate_cohort(one, out)
    patient = cohort.patients[0]
    scan = patient.scans[0]
    folder = cohort.dicom / scan.folder
    (case,) = predict_cases(cases_of([folder]), model, out.with_name("new-prediction"))
    if case.prediction is None:
        raise RuntimeError(f"the new simulated scan was refused: {case.message}")
    example = Example(
        title="A new scan",
        explanation="Read from its DICOM folder by the same code as 'hemocast predict'.",
        prediction=case.prediction,
        label=patient.label,
        true_risk=patient.risk,
        lesion=lesion_on_stack(cohort, scan, case.prediction.stack),
    )
    return example, read(folder).source


def _simulated(cohort: Truth) -> Facts:
    config, patients = cohort.config, cohort.patients
    events = sum(patient.label for patient in patients)
    return (
        ("Patients", f"{len(patients)}, with {sum(len(p.scans) for p in patients)} scans as DICOM"),
        (
            "With HT",
            f"{events} patients ({events / len(patients):.0%}); chosen, far above practice",
        ),
        ("Visibility", f"infarcts take up {config.visibility:g} times the water they would"),
        ("Seed", f"{config.seed}; not picked for its result"),
        ("Image's share of the log odds, multiplied by", f"{config.image_strength:g}"),
        ("Clinical share of the log odds, multiplied by", f"{config.clinical_strength:g}"),
        ("Infarct volume, median", f"{config.volume_median_ml:g} mL"),
        ("Matrix", f"{config.matrix} x {config.matrix}, {config.slice_mm:g} mm slices"),
        ("Noise", f"{config.noise_low_hu:g} to {config.noise_high_hu:g} HU"),
        ("Scans with a tilted gantry", f"{config.tilt_fraction:.0%}"),
    )


def _refused(report: IngestReport, trained: Trained) -> tuple[tuple[str, int], ...]:
    codes = Counter(item.code for item in report.refused)
    codes += Counter(item.error.code for item in trained.refused if item.error)
    return tuple(sorted(codes.items()))


def _parts(trained: Trained) -> tuple[Part, ...]:
    """Training and inner validation patients, and the test part; events are counted by patient."""
    inner, held = trained.fitted.train, trained.fitted.validation
    receipt, events = trained.receipt["parts"], sum(held.patient_labels().values())
    validation = Part("validation (inner)", len(held.participants), len(held), events)
    train = Part("training", len(inner.participants), len(inner), receipt["train"]["ht"] - events)
    test = Part("test", receipt["test"]["patients"], len(trained.test), receipt["test"]["ht"])
    return train, validation, test


def _examples(truth: SimulatedTruth, trained: Trained, stacks: Path) -> Iterator[Example]:
    """Pick by rule, not by eye: the surest of each class, and the worst miss."""
    probability, label = trained.probability, trained.label
    for index, title, explanation in (
        (np.where(label == 1, probability, -1).argmax(), "HT",
         "The scan with HT that the model is surest of."),
        (np.where(label == 0, probability, 2).argmin(), "No HT",
         "The scan without HT that the model is surest of."),
        (np.abs(probability - label).argmax(), "Worst miss",
         "The test scan whose probability is furthest from truth."),
    ):  # fmt: skip
        scan = trained.test[index]
        prediction = trained.model.predict(
            read_nifti(scan.path), scan_id=scan.scan_id, cache=stacks
        )
        yield Example(
            title=title,
            explanation=explanation,
            prediction=prediction,
            label=int(label[index]),
            true_risk=truth.patient(scan).risk,
            lesion=truth.lesion(scan, prediction.stack),
        )


def _model(config: Config, trained: Trained) -> Facts:
    net, prepare, fitting = config.net, config.prepare, config.train
    return (
        ("Network", net.name),
        ("Frames", f"{prepare.frames} of {prepare.frame_mm:g} mm, {prepare.pixel_mm:g} mm pixels"),
        ("Window", f"{prepare.window_low:g} to {prepare.window_high:g} HU"),
        ("Features", f"{net.stem}, then {', '.join(map(str, net.widths))}"),
        ("Mirror channel", "yes" if net.mirror else "no"),
        ("Epochs", f"{len(trained.fitted.history)} of at most {fitting.epochs}"),
        ("Simulator", f"version {SIMULATOR_VERSION}"),
        ("Seed", str(fitting.seed)),
    )


def _summary(result: DemoResult, seed: int) -> dict[str, object]:
    """The demonstration in numbers, for the table over seeds in docs/lab/demo.md."""
    model, ceiling = result.evaluation.models
    return {
        "simulated": True,
        "simulator": SIMULATOR_VERSION,
        "seed": seed,
        "test_patients": model.n_patients,
        "test_ht": model.n_patients_positive,
        "auc": estimate_json(model["auc"]),
        "ceiling_auc": estimate_json(ceiling["auc"]),
        "refused": dict(result.refused),
        "seconds": dict(result.seconds),
    }
