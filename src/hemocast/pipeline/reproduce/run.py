"""The paper's tables and figures: a simulated cohort, CTNet, simulated readers, tables, figures.

Every stage leaves its files; a run that was stopped goes on where it was when started again.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hemocast.dataset import Dataset
from hemocast.dataset.cohort.table1 import check_tableone
from hemocast.evaluate.result import EvaluationResult
from hemocast.files import Output
from hemocast.pipeline.benchmark import read_rows
from hemocast.pipeline.clock import Clock, stage_of
from hemocast.pipeline.evaluate import EvaluationOptions, Tables, evaluate_files
from hemocast.pipeline.reproduce.evidence import evidence_table
from hemocast.pipeline.reproduce.page import Reproduction, paper_of
from hemocast.pipeline.reproduce.plan import Plan, make_plan
from hemocast.pipeline.simulated_run import (
    MODEL,
    RunFolder,
    RunOptions,
    predictions_table,
    train_into,
)
from hemocast.pipeline.simulated_truth import SimulatedTruth
from hemocast.pipeline.train import Trained
from hemocast.report.paper.page import PAGE, paper_files
from hemocast.simulate import simulate_cohort
from hemocast.simulate.readers.draw import simulate_readings, write_readings
from hemocast.simulate.readers.specs import ReadingPlan, ScansToRead
from hemocast.simulate.write.dataset import cohort_key
from hemocast.stats import Cases

NAME = "CTNet"
REPEATS = 0.2
"""Share of the scans that every reader reads twice, for agreement with oneself; ours."""

FOLDER = RunFolder(
    "reproduction",
    "reproduce.yaml",
    ("predictions.csv", "networks.csv", "readings.csv", "evaluation", "networks", "tables",
     "figures", MODEL, PAGE),
    copies=1,
)  # fmt: skip


def reproduce(
    out: Path,
    *,
    fast: bool = False,
    options: RunOptions | None = None,
    benchmark: Path | None = None,
) -> Path:
    """Simulate, train, let simulated readers read, evaluate, and write the paper's page.

    Parameters
    ----------
    out : Path
        Folder for everything; new, or of an interrupted run with the same settings.
    fast : bool
        Use a third of the patients and coarser images.
    options : RunOptions, optional
        The seed is not chosen for its result.
    benchmark : Path, optional
        Folder of ``hemocast benchmark``, whose rows become Table 3.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    MissingExtra, OutputExists, NotWritable, NoSpace, InUse
        Before anything is simulated; see `RunFolder.open`.
    TableError
        `benchmark` holds no row.
    """
    options = options or RunOptions()
    return reproduce_plan(out, make_plan(fast=fast, seed=options.seed), options, benchmark)


def reproduce_plan(
    out: Path, plan: Plan, options: RunOptions, benchmark: Path | None = None
) -> Path:
    """Do what `reproduce` does with other settings; as it does."""
    rows = read_rows(benchmark) if benchmark else ()
    check_tableone()
    with FOLDER.open(out, plan, plan.simulate) as output:
        done = _run(output, plan, options)
        for name, content in paper_files(paper_of(replace(done, benchmark=rows))).items():
            output.write_bytes(name, content.encode() if isinstance(content, str) else content)
    return out / PAGE


def _run(output: Output, plan: Plan, options: RunOptions) -> Reproduction:
    out, clock = output.folder, Clock()
    with clock.stage("simulate"):
        cohort = simulate_cohort(
            plan.simulate,
            out / "simulated",
            format="dataset",
            prepare=plan.run.prepare,
            workers=options.workers,
            progress=stage_of(options.progress, "simulating"),
        )
    dataset = Dataset(cohort.visible)
    with clock.stage("prepare, train, test"):
        trained = train_into(out, dataset, plan.run, NAME, plan.test_fraction, options)
    truth = SimulatedTruth.of(cohort, cohort_key(cohort.config.seed))
    with clock.stage("simulated readers"):
        _read_scans(output, truth, trained, options.seed)
    with clock.stage("evaluate"):
        readers, networks = _evaluate(output, dataset, trained, options)
    with clock.stage("measure heatmaps"):
        evidence = evidence_table(trained, truth, options.seed, dataset.stacks)
    return Reproduction(
        plan, truth, dataset, trained, readers, networks, evidence, tuple(clock.seconds)
    )


def _read_scans(output: Output, truth: SimulatedTruth, trained: Trained, seed: int) -> None:
    """Let the paper's eight readers, simulated, read the held-out scans."""
    scans = ScansToRead(
        [scan.participant_id for scan in trained.test],
        [scan.scan_id for scan in trained.test],
        Cases(trained.label, [truth.patient(scan).risk_image for scan in trained.test]),
    )
    readings = simulate_readings(scans, ReadingPlan(repeats=REPEATS), seed=seed)
    with output.replacing("readings.csv") as temporary:
        write_readings(temporary, readings)


def _evaluate(
    output: Output, dataset: Dataset, trained: Trained, options: RunOptions
) -> tuple[EvaluationResult, EvaluationResult]:
    """Evaluate CTNet beside the readers; then beside two rules that look at no scan.

    The rules: all positive, and the training part's share of HT.
    """
    out, n = output.folder, len(trained.test)
    tested = {scan.participant_id for scan in trained.test}
    labels = [label for patient, label in dataset.labels().items() if patient not in tested]
    ctnet = (NAME, trained.probability.tolist(), trained.evaluation.threshold)
    rules = (
        ("All positive", [1.0] * n, 0.5),
        ("Prevalence alone", [sum(labels) / len(labels)] * n, 0.5),
    )
    output.write_text("predictions.csv", predictions_table(trained, [ctnet]))
    output.write_text("networks.csv", predictions_table(trained, [ctnet, *rules]))
    chosen = EvaluationOptions()
    readers = evaluate_files(
        Tables(
            out / "predictions.csv",
            readings=out / "readings.csv",
            clinical=dataset.root / "clinical.tsv",
        ),
        out / "evaluation",
        options=chosen,
        progress=options.progress,
    )
    networks = evaluate_files(
        Tables(out / "networks.csv"), out / "networks", options=chosen, progress=options.progress
    )
    return readers, networks
