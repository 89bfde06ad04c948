"""From a reproduction's results to the tables and figures of its page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from hemocast.dataset.cohort.choose import read_tables
from hemocast.dataset.cohort.table1 import describe_patients, make_table1
from hemocast.dicom import read_nifti
from hemocast.nets.describe import describe
from hemocast.pipeline.reproduce.tables import printed, table1, table2, table3
from hemocast.report.figures.confusion import ConfusionPanel, confusion_panels_figure
from hemocast.report.figures.diagrams import (
    Step,
    architecture_figure,
    method_figure,
    residual_blocks_figure,
)
from hemocast.report.figures.roc import RocLine, print_roc_figure
from hemocast.report.paper.page import PaperFigure, PaperResult, PaperTable
from hemocast.report.paper.pictures import HeatmapCase, heatmap_figure, preparation_figure
from hemocast.report.readers.figures import reader_points
from hemocast.stats import roc_curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hemocast.nets.describe import Layer
    from hemocast.pipeline.reproduce.run import Reproduction, Tested
    from hemocast.readers.analysis.analyse import ReaderAnalysis

SIMULATED = "SIMULATED patients, outcomes and readers"
LIMITS = (
    "Every head, infarct, outcome and reader was simulated. Nothing here says how well anybody's "
    "bleeding can be predicted, nor how well a neurologist predicts it.",
    "The readers are raters of chosen sensitivity and specificity: their lines of Table 2 show "
    "that the analysis works, and return what was put in.",
    "The paper gives the shape of its two residual blocks and 28 frames of 5 mm. Channels, "
    "kernels, window, pixel size and training are ours.",
    "The paper's two comparator networks are not built here yet; they stand as printed.",
)
EARLY_WORDS = "Infarct hardly to be seen yet"
LATE_WORDS = "Infarct plainly to be seen"


def page_of(done: Reproduction) -> PaperResult:
    """Make everything on the page of a reproduction."""
    readers = done.readers.readers
    if readers is None:
        raise ValueError("a reproduction has readers")
    return PaperResult(
        facts=_facts(done),
        tables=(
            _table1(done),
            table2(readers),
            table3(done.networks.models),
        ),
        figures=tuple(_figures(done, readers)),
        limits=LIMITS,
        seconds=done.seconds,
    )


def _facts(done: Reproduction) -> tuple[tuple[str, str], ...]:
    truth, simulate = done.told.truth, done.plan.simulate
    test = {one.scan.participant_id for one in done.test}
    best, image, record = truth.ceilings()
    return (
        ("Patients", f"{len(truth.patients)}, {simulate.n_ht} of them with HT; the paper: 474"),
        ("Scans", f"{sum(len(p.scans) for p in truth.patients)}; the paper: 613, 611 or 609"),
        ("Held out", f"{len(test)} patients with {len(done.test)} scans, by patient: overlap 0"),
        ("Images", f"{simulate.matrix} x {simulate.matrix} pixels, {simulate.slice_mm:g} mm"),
        (
            "Best AUC there can be",
            f"{best.expected:.3f} knowing everything, {image.expected:.3f} from the first scan "
            f"alone, {record.expected:.3f} from the record alone",
        ),
        ("Seed", f"{simulate.seed}; not picked for its result"),
    )


def _table1(done: Reproduction) -> PaperTable:
    patients = describe_patients(read_tables(done.dataset.root))
    test = {one.scan.participant_id for one in done.test}
    part = ["test" if p in test else "train" for p in patients["participant_id"]]
    return table1(make_table1(patients.assign(part=part), "part", simulated=True).table)


def _figures(done: Reproduction, readers: ReaderAnalysis) -> Iterator[PaperFigure]:
    plan = done.plan
    layers = describe(plan.run.net, plan.run.prepare)
    yield PaperFigure(
        "figure1",
        "Figure 1. The method",
        "Drawn from this run's own settings and counts.",
        method_figure(_steps(done, layers, readers), SIMULATED),
    )
    panels = [ConfusionPanel(r.name, r.cells) for r in readers.raters if r.cells is not None]
    yield PaperFigure(
        "figure2",
        "Figure 2. Confusion matrices of the model and the simulated readers",
        "Counts of held-out scans, and shares of the true class. The paper prints for CTNet a "
        f"sensitivity of {_paper('sensitivity')} % and a specificity of {_paper('specificity')} %; "
        "no whole numbers of scans fit all that it prints (docs/paper-check.md).",
        confusion_panels_figure(panels, simulated=True),
    )
    yield PaperFigure(
        "figure3",
        "Figure 3. Heatmaps: infarct plainly, and hardly yet, to be seen",
        "Class activation maps; brighter speaks for HT. Chosen by rule among held-out scans with "
        "HT: the two whose infarcts are darkest and least dark against the other side. SIMULATED.",
        heatmap_figure(_heatmaps(done)),
    )
    window = (plan.run.prepare.window_low, plan.run.prepare.window_high)
    first = done.test[0]
    volume = read_nifti(first.scan.path)
    stack = done.model.predict(volume, scan_id=first.scan.scan_id).stack
    yield PaperFigure(
        "figureS1",
        "Supplementary Figure 1. Pre-processing",
        "The first held-out scan: as read (brain window), its slices seen from the side, then "
        "upright in frames of one height, without skull, in the network's window. SIMULATED.",
        preparation_figure(volume, stack, window),
    )
    yield PaperFigure(
        "figureS2",
        "Supplementary Figure 2. The two residual blocks",
        "As they first occur in this network; kernels, normalisation and strides are ours.",
        residual_blocks_figure(layers),
    )
    yield PaperFigure(
        "figureS3",
        "Supplementary Figure 3. The architecture",
        "What leaves each layer, its kernel and stride, and how many numbers it learns.",
        architecture_figure(layers, plan.run.net.name),
    )
    yield PaperFigure(
        "figureS4",
        "Supplementary Figure 4. ROC of the model, with the readers' decisions",
        "A reader's yes and no make one point. A point on the curve means: as good as the model "
        f"at that threshold. The paper prints an AUC of {_paper('auc')} % for CTNet.",
        _roc(done, readers),
    )


def _paper(column: str) -> str:
    return printed("Table 2", "CTNet", column)


def _steps(
    done: Reproduction, layers: tuple[Layer, ...], readers: ReaderAnalysis
) -> tuple[Step, ...]:
    plan, truth = done.plan, done.told.truth
    prepare, net = plan.run.prepare, plan.run.net
    scans = sum(len(p.scans) for p in truth.patients)
    tested = len({one.scan.participant_id for one in done.test})
    count = {kind: sum(layer.kind == kind for layer in layers) for kind in ("block 1", "block 2")}
    size = f"{prepare.size} x {prepare.size} pixels of {prepare.pixel_mm:g} mm"
    return (
        Step("Cohort", (f"{len(truth.patients)} patients, {scans} scans", "all before any blood")),
        Step(
            "Split by patient",
            (f"{len(truth.patients) - tested} to train, {tested} to test", "in both: none"),
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


def _darkness(done: Reproduction, one: Tested) -> float:
    """How dark the infarct is in the scan: its rendered net water uptake."""
    return done.told.planned(one.scan).uptake_rendered


def _heatmaps(done: Reproduction) -> list[HeatmapCase]:
    bled = [one for one in done.test if one.label == 1]
    order = np.argsort([_darkness(done, one) for one in bled], kind="stable")
    chosen = ((LATE_WORDS, bled[order[-1]]), (EARLY_WORDS, bled[order[0]]))
    return [_heatmap(done, words, one) for words, one in chosen]


def _heatmap(done: Reproduction, words: str, one: Tested) -> HeatmapCase:
    patient, planned = done.told.patient(one.scan), done.told.planned(one.scan)
    prediction = done.model.predict(read_nifti(one.scan.path), scan_id=one.scan.scan_id)
    infarct = patient.infarct
    title = (
        f"{words}:\n{infarct.territory}, {infarct.side}, {infarct.volume_ml:.0f} mL,\n"
        f"{planned.hours:.0f} h after onset,\n"
        f"water uptake {100 * planned.uptake_rendered:.0f} %"
    )
    return HeatmapCase(
        title,
        prediction.stack,
        prediction.heatmap,
        done.told.lesion(one.scan, prediction.stack),
        prediction.probability,
    )


def _roc(done: Reproduction, readers: ReaderAnalysis) -> Figure:
    label = np.array([one.label for one in done.test]) == 1
    score = np.array([one.probability for one in done.test])
    called = score >= done.test[0].threshold
    model = done.readers.models[0]
    line = RocLine(
        model.name,
        roc_curve(label, score),
        model["auc"],
        model.band,
        (float(called[~label].mean()), float(called[label].mean())),
    )
    return print_roc_figure([line], reader_points(readers), simulated=True)
