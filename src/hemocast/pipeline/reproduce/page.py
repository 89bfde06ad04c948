"""From a reproduction's results to the tables and figures of its page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hemocast.dataset import Dataset
from hemocast.dataset.cohort.choose import read_tables
from hemocast.dataset.cohort.table1 import describe_patients, make_table1
from hemocast.dataset.stacks import ScanFile
from hemocast.dicom import read_nifti
from hemocast.evaluate.result import EvaluationResult
from hemocast.nets.describe import describe
from hemocast.pipeline.reproduce.plan import Plan
from hemocast.pipeline.reproduce.tables import printed, table1, table2, table3, table3_of
from hemocast.pipeline.simulated_truth import SimulatedTruth
from hemocast.pipeline.train import Trained
from hemocast.prepare.eligibility import eligible_stack
from hemocast.report.evaluation.figures import roc_lines
from hemocast.report.figures.confusion import confusion_figure
from hemocast.report.figures.diagrams import (
    Step,
    architecture_figure,
    method_figure,
    residual_blocks_figure,
)
from hemocast.report.figures.drawing import Drawing
from hemocast.report.figures.roc import roc_figure
from hemocast.report.paper.page import PaperResult, PaperTable
from hemocast.report.paper.pictures import HeatmapCase, heatmap_figure, preparation_figure
from hemocast.report.readers.figures import confusion_panels, reader_points
from hemocast.version import SIMULATOR_VERSION

if TYPE_CHECKING:
    from hemocast.nets.describe import Layer
    from hemocast.pipeline.benchmark.rows import Row
    from hemocast.readers.analysis.analyse import ReaderAnalysis

SIMULATED = "SIMULATED patients, outcomes and readers"
LIMITS = (
    "Every head, infarct, outcome and reader was simulated. Nothing here says how well bleeding "
    "can be predicted in patients, or how well neurologists predict it.",
    "The readers are raters of chosen sensitivity and specificity: their lines of Table 2 show "
    "that the analysis works, and give back what was simulated.",
    "The paper gives the shape of its two residual blocks and 28 frames of 5 mm. Channels, "
    "kernels, window, pixel size and training are ours.",
    "No layers of the paper's two comparator networks are public: the networks shown in their "
    "place are in their style.",
)
EARLY_WORDS = "Infarct barely visible yet"
LATE_WORDS = "Infarct clearly visible"


@dataclass(frozen=True)
class Reproduction:
    """What a run left, and all that its page needs.

    Parameters
    ----------
    plan : Plan
        Its settings.
    truth : SimulatedTruth
        What the simulator knows.
    dataset : Dataset
        The cohort as a dataset.
    trained : Trained
        The model, and the held-out scans with its probabilities.
    readers, networks : EvaluationResult
        Model and readers; the model beside rules that look at no scan.
    evidence : PaperTable
        Where the heatmaps lie.
    seconds : tuple of (str, float)
        Stages and how long each took in this run.
    benchmark : tuple of Row
        Every network on other, fresh patients; empty where no benchmark was given.
    """

    plan: Plan
    truth: SimulatedTruth
    dataset: Dataset
    trained: Trained
    readers: EvaluationResult
    networks: EvaluationResult
    evidence: PaperTable
    seconds: tuple[tuple[str, float], ...]
    benchmark: tuple[Row, ...] = ()

    @property
    def tested(self) -> set[str]:
        """Patients that were held out."""
        return {scan.participant_id for scan in self.trained.test}


def paper_of(done: Reproduction) -> PaperResult:
    """Make everything on the page of a reproduction."""
    readers = done.readers.readers
    if readers is None:
        raise ValueError("a reproduction has readers")
    return PaperResult(
        facts=_facts(done),
        tables=(
            _table1(done),
            table2(readers),
            table3_of(done.benchmark) if done.benchmark else table3(done.networks.models),
            done.evidence,
        ),
        figures=tuple(_figures(done, readers)),
        limits=LIMITS,
        seconds=done.seconds,
    )


def _facts(done: Reproduction) -> tuple[tuple[str, str], ...]:
    cohort, simulate = done.truth.cohort, done.plan.simulate
    best, image, record = cohort.ceilings()
    return (
        ("Patients", f"{len(cohort.patients)}, {simulate.n_ht} of them with HT; the paper: 474"),
        ("Scans", f"{sum(len(p.scans) for p in cohort.patients)}; the paper: 613, 611 or 609"),
        ("Held out", f"{len(done.tested)} patients, {len(done.trained.test)} scans: overlap 0"),
        ("Images", f"{simulate.matrix} x {simulate.matrix} pixels, {simulate.slice_mm:g} mm"),
        (
            "Best AUC there can be",
            f"{best.expected:.3f} knowing everything, {image.expected:.3f} from the first scan "
            f"alone, {record.expected:.3f} from the record alone",
        ),
        ("Simulator", f"version {SIMULATOR_VERSION}"),
        ("Seed", f"{simulate.seed}; not picked for its result"),
    )


def _table1(done: Reproduction) -> PaperTable:
    patients = describe_patients(read_tables(done.dataset.root))
    part = ["test" if p in done.tested else "train" for p in patients["participant_id"]]
    return table1(make_table1(patients.assign(part=part), "part", simulated=True).table)


def _figures(done: Reproduction, readers: ReaderAnalysis) -> Iterator[Drawing]:
    plan = done.plan
    layers = describe(plan.run.net, plan.run.prepare)
    yield Drawing(
        "figure1", method_figure(_steps(done, layers, readers), SIMULATED),
        "Drawn from this run's own settings and counts.", "Figure 1. The method",
    )  # fmt: skip
    yield Drawing(
        "figure2", confusion_figure(confusion_panels(readers.raters), simulated=True),
        "Counts of held-out scans, and shares of the true class. The paper prints for CTNet a "
        f"sensitivity of {_paper('sensitivity')} % and a specificity of {_paper('specificity')} %; "
        "no whole numbers of scans fit all that it prints (docs/how-to/paper-check.md).",
        "Figure 2. Confusion matrices of the model and the simulated readers",
    )  # fmt: skip
    yield Drawing(
        "figure3", heatmap_figure(_heatmaps(done)),
        "Class activation maps; brighter: more evidence. By rule, of the held-out scans with HT "
        "the two whose infarcts are darkest and least dark against the other side. All of them are "
        "measured in the table of Figure 3. SIMULATED.",
        "Figure 3. Heatmaps: a clearly visible and a barely visible infarct",
    )  # fmt: skip
    first, prepare = done.trained.test[0], plan.run.prepare
    volume = read_nifti(first.path)
    prepare = done.trained.model.description.prepare
    stack = eligible_stack(volume, prepare, cache=done.dataset.stacks)
    yield Drawing(
        "figureS1", preparation_figure(volume, stack, (prepare.window_low, prepare.window_high)),
        "The first held-out scan: as read (brain window), its slices seen from the side, then "
        "upright in frames of one height, without skull, in the network's window. SIMULATED.",
        "Supplementary Figure 1. Pre-processing",
    )  # fmt: skip
    yield Drawing(
        "figureS2", residual_blocks_figure(layers),
        "As they first occur in this network; kernels, normalisation and strides are ours.",
        "Supplementary Figure 2. The two residual blocks",
    )  # fmt: skip
    yield Drawing(
        "figureS3", architecture_figure(layers, plan.run.net.name),
        "What leaves each layer, its kernel and stride, and how many numbers it learns.",
        "Supplementary Figure 3. The architecture",
    )  # fmt: skip
    curves = roc_lines(done.readers.models)
    yield Drawing(
        "figureS4", roc_figure(curves, reader_points(readers), simulated=True),
        "A reader's yes and no make one point. A point on the curve means: as good as the model "
        f"at that threshold. The paper prints an AUC of {_paper('auc')} % for CTNet.",
        "Supplementary Figure 4. ROC of the model, with the readers' decisions",
    )  # fmt: skip


def _paper(column: str) -> str:
    return printed("Table 2", "CTNet", column)


def _steps(
    done: Reproduction, layers: tuple[Layer, ...], readers: ReaderAnalysis
) -> tuple[Step, ...]:
    plan, cohort = done.plan, done.truth.cohort
    prepare, net = plan.run.prepare, plan.run.net
    scans = sum(len(p.scans) for p in cohort.patients)
    tested = len(done.tested)
    count = {kind: sum(layer.kind == kind for layer in layers) for kind in ("block 1", "block 2")}
    size = f"{prepare.size} x {prepare.size} pixels of {prepare.pixel_mm:g} mm"
    return (
        Step("Cohort", (f"{len(cohort.patients)} patients, {scans} scans", "all before any blood")),
        Step(
            "Split by patient",
            (f"{len(cohort.patients) - tested} to train, {tested} to test", "in both: none"),
        ),
        Step(
            "Preparation",
            (f"upright, {prepare.frames} frames of {prepare.frame_mm:g} mm", size,
             f"{prepare.window_low:g} to {prepare.window_high:g} HU"),
        ),
        Step(
            f"CTNet ({net.name})",
            ("one convolution layer",
             f"{count['block 1']} blocks $F(x)+x$, {count['block 2']} blocks $F(x)+H(x)$"),
        ),
        Step("HT predictor", ("mean pooling, one linear layer", "calibrated probability, heatmap")),
        Step(
            "Evaluation",
            (f"beside {len(readers.readers)} simulated readers", "intervals by patient"),
        ),
    )  # fmt: skip


def _heatmaps(done: Reproduction) -> list[HeatmapCase]:
    """Take the scans with HT whose infarcts are darkest and least dark, as rendered."""
    trained = done.trained
    bled = [scan for scan, label in zip(trained.test, trained.label, strict=True) if label == 1]
    uptake = [done.truth.planned(scan).uptake_rendered for scan in bled]
    order = np.argsort(uptake, kind="stable")
    chosen = ((LATE_WORDS, bled[order[-1]]), (EARLY_WORDS, bled[order[0]]))
    return [_heatmap(done, words, scan) for words, scan in chosen]


def _heatmap(done: Reproduction, words: str, scan: ScanFile) -> HeatmapCase:
    infarct, planned = done.truth.patient(scan).infarct, done.truth.planned(scan)
    prediction = done.trained.model.predict(
        read_nifti(scan.path), scan_id=scan.scan_id, cache=done.dataset.stacks
    )
    title = (
        f"{words}:\n{infarct.territory}, {infarct.side}, {infarct.volume_ml:.0f} mL,\n"
        f"{planned.hours:.0f} h after onset,\n"
        f"water uptake {100 * planned.uptake_rendered:.0f} %"
    )
    return HeatmapCase(
        title,
        prediction.stack,
        prediction.heatmap,
        done.truth.lesion(scan, prediction.stack),
        prediction.probability,
    )
