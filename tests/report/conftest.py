"""A stand-in for a prediction: a smooth synthetic brain with one lesion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from hemocast.evaluate.result import EvaluationResult
from hemocast.left_out import LeftOut, LeftOutCode
from hemocast.model.prediction import Prediction
from hemocast.pipeline.evaluate import EvaluationOptions, Tables, analyse_files, evaluate_files
from hemocast.report.demo import DemoResult, Example, Part
from hemocast.report.figures.style import style
from hemocast.stats import Resampling
from hemocast.train import EpochRecord
from hemocast.volume import Source, Stack, StackRecord


def make_stack(seed: int = 0, size: int = 192, *, top: int = 2, bottom: int = 0) -> Stack:
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(
        (np.arange(28) - 12.0) / 15,
        (np.arange(size) - size / 2) / 82,
        (np.arange(size) - size / 2) / 66,
        indexing="ij",
    )
    radius = np.sqrt(x**2 + y**2 + np.maximum(z, z * 0.6) ** 2)
    brain = radius < 1
    folds = gaussian_filter(rng.normal(size=brain.shape), (1, 4, 4))
    frames = 0.55 + 1.6 * folds * np.clip(radius, 0.3, 1) + 0.12 * (radius > 0.82)
    ventricle = (np.abs(np.abs(x) - 0.14 - 0.1 * y) < 0.09) & (np.abs(y) < 0.4) & (np.abs(z) < 0.3)
    frames[ventricle] = 0.12
    frames += gaussian_filter(rng.normal(size=brain.shape), (0, 0.7, 0.7)) * 0.09
    lesion = ((x - 0.55) / 0.3) ** 2 + ((y + 0.1) / 0.35) ** 2 + ((z - 0.1) / 0.3) ** 2 < 1
    frames -= 0.22 * gaussian_filter(lesion.astype(float), (1, 3, 3))
    brain[28 - top :] = False
    brain[:bottom] = False
    frames = np.where(brain, np.clip(frames, 0, 1), 0).astype(np.float32)
    record = StackRecord(
        input_hash="a" * 64,
        settings_hash="b" * 64,
        rotation_degrees=(-12.5, 1.25, 3.0),
        shift_mm=(1.0, -4.0, 7.5),
        brain_ml=1312.0,
        frames_padded_top=top,
        frames_padded_bottom=bottom,
        brain_cut_mm=6.0,
    )
    return Stack(frames, brain, np.diag([1.0, 1.0, 5.0, 1.0]), record)


def make_heatmap(stack: Stack) -> NDArray[np.float32]:
    size = stack.frames.shape[1]
    z, y, x = np.meshgrid(
        (np.arange(28) - 13.5) / 4,
        (np.arange(size) - size / 2 + 8) / 24,
        (np.arange(size) - size / 2 - 36) / 20,
        indexing="ij",
    )
    hot = np.exp(-(x**2 + y**2 + z**2) / 2) * 0.0155 - 0.0015
    return hot.astype(np.float32)


def make_prediction(stack: Stack, heatmap: NDArray[np.float32] | None = None) -> Prediction:
    return Prediction(
        scan_id="3f9a2c71d0b4",
        logit=0.35,
        probability=0.37,
        probability_interval=(0.21, 0.56),
        threshold=0.48,
        heatmap=make_heatmap(stack) if heatmap is None else heatmap,
        heatmap_kind="class activation map, per frame",
        stack=stack,
        flags=(
            "the slices are 7 mm thick above the base of the skull; the model learned from 5 mm",
            "6 mm of the lowest brain did not fit into the 28 frames",
        ),
        horizon="any later scan of the same stay",
        population="simulated patients with one acute ischemic infarct",
        model_name="ctnet3d-demo",
        model_version="0.1.0",
        model_hash="c" * 64,
        simulated_training_data=True,
        notice="demonstration model, trained on simulated scans, not for clinical use",
    )


@pytest.fixture(scope="session")
def stack() -> Stack:
    return make_stack()


@pytest.fixture(scope="session")
def prediction(stack: Stack) -> Prediction:
    return make_prediction(stack)


@pytest.fixture(scope="session")
def source() -> Source:
    return Source(
        kind="dicom",
        scan_uid="3f9a2c71d0b4",
        n_files=28,
        corrected=(
            "gantry tilt of 18.5 degrees taken out",
            "uneven steps of 1.08 to 7.00 mm resampled from the true positions",
        ),
        doubts=("one step of 1.08 mm between the two slice thicknesses",),
        left_out=(LeftOut(LeftOutCode.LOCALIZER, 2, 1),),
        facts={
            "manufacturer": "GE MEDICAL SYSTEMS",
            "model": "HiSpeed Dual",
            "kvp": 120,
            "slice_thickness_mm": [4.0, 7.0],
            "tilt_degrees": 18.5,
        },
    )


HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>\"' {{ 7 * 7 }}"


@pytest.fixture(scope="session")
def hostile() -> str:
    return HOSTILE


@pytest.fixture(scope="session")
def new_stack() -> Callable[..., Stack]:
    return make_stack


def write_predictions(path: Path, *models: str, simulated: bool = True) -> Path:
    """Write 74 scans of 62 patients, rated by each model; the last is nearest to the truth."""
    rng = np.random.default_rng(3)
    logit = rng.normal(-0.2, 2, 74)
    patient = np.arange(74) * 5 // 6
    label = (logit[patient] > rng.normal(-0.2, 1, 62)[patient]).astype(int)
    rows = [
        f"p{patient[k]:02d},s{k},{label[k]},{1 / (1 + np.exp(-value)):.4f},{model},0.48,"
        f"{'FM'[patient[k] % 2]},{int(simulated)}"
        for j, model in enumerate(models)
        for k, value in enumerate(logit + rng.normal(0, 2.5 / (j + 1), 74))
    ]
    head = "participant_id,scan_id,label,probability,model,threshold,sex,simulated"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> EvaluationResult:
    """Two models on simulated scans."""
    folder = tmp_path_factory.mktemp("evaluation")
    table = write_predictions(folder / "p.csv", "our <b> model", "True risk")
    return evaluate_files(
        Tables(table), folder / "out", options=EvaluationOptions(resampling=Resampling(100))
    )


@pytest.fixture(scope="session")
def reader_study(tmp_path_factory: pytest.TempPathFactory) -> EvaluationResult:
    """Three readers, with and without the model, on scans of patients."""
    folder = tmp_path_factory.mktemp("readers")
    table = write_predictions(folder / "p.csv", "model", simulated=False)
    rng = np.random.default_rng(5)
    scans = [line.split(",")[:3] for line in table.read_text().splitlines()[1:41]]
    rows = []
    for reader in ("C_1", "C2 & co", "C3"):
        for arm in ("unaided", "aided"):
            for k, (patient, scan, label) in enumerate(scans):
                p = float(np.clip(rng.normal(0.3 + 0.4 * int(label), 0.2), 0, 1))
                answer = f"{p:.2f},{int(p >= 0.5)},3,{10 + k}"
                rows.append(f"{reader},{patient},{scan},{answer},{arm},{k},0")
    answers = "probability,decision,confidence,seconds"
    head = f"reader_id,participant_id,scan_id,{answers},arm,order,repeat"
    (folder / "r.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    options = EvaluationOptions(resampling=Resampling(100))
    return analyse_files(Tables(table, readings=folder / "r.csv"), folder / "out", options=options)


@pytest.fixture(scope="session")
def demo(prediction: Prediction, source: Source, evaluation: EvaluationResult) -> DemoResult:
    lesion = (prediction.heatmap > 0.006) & prediction.stack.brain
    low = replace(prediction, probability=0.07, probability_interval=(0.03, 0.2))
    return DemoResult(
        evaluation=evaluation,
        simulated=(("Visibility", "lesions 4 to 9 HU darker"), ("Seed", "11; not picked")),
        parts=(
            Part("training", 78, 92, 36),
            Part("validation", 20, 24, 9),
            Part("test", 62, 74, 27),
        ),
        overlap=0,
        split_hash="d" * 64,
        refused=(("HC303", 4),),
        history=tuple(EpochRecord(k, 1 / k, 1.1 / k, 0.6, k == 3) for k in range(1, 4)),
        best_epoch=3,
        examples=(
            Example("HT, predicted", "The heatmap finds it.", prediction, 0, 0.88, lesion),
            Example("HT, missed", "The lesion is faint.", low, 1, 0.35, lesion),
        ),
        new_scan=Example("new series", "Left hemisphere.", prediction, 0, 0.4, lesion),
        new_source=source,
        model=(("Network", "ctnet3d"), ("Epochs", "22")),
        seconds=(("simulate", 41.2), ("train", 88.7)),
    )


SLACK_PX = 1.0
"""Of a hundredth of an inch: letters have a little air around them."""


@pytest.fixture(scope="session")
def misplaced() -> Callable[[Figure], list[str]]:
    """Name every text that overprints another, is cut by the figure's edge or leaves its box."""

    def find(figure: Figure) -> list[str]:
        before = figure.dpi
        figure.set_dpi(100)
        with rc_context(style()):
            found = _faults(figure)
        figure.set_dpi(before)
        return found

    return find


def _faults(figure: Figure) -> list[str]:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    beyond = _ticks_beyond(figure)
    placed = [
        (text.get_text(), text.get_window_extent(renderer))
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in beyond
    ]
    boxes = [patch.get_window_extent(renderer) for patch in figure.findobj(FancyBboxPatch)]
    return [*_cut(placed, figure.bbox), *_overprinted(placed), *_outside(placed, boxes)]


def _ticks_beyond(figure: Figure) -> set[Text]:
    """Labels of ticks beyond the axes' limits, which are never drawn."""
    found: set[Text] = set()
    for axes in figure.findobj(Axes):
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.majorTicks:
                if not low <= tick.get_loc() <= high or not axes.axison:
                    found |= {tick.label1, tick.label2}
    return found


def _smaller(box: Bbox) -> Bbox:
    return Bbox.from_extents(
        box.x0 + SLACK_PX, box.y0 + SLACK_PX, box.x1 - SLACK_PX, box.y1 - SLACK_PX
    )


def _cut(placed: list[tuple[str, Bbox]], page: Bbox) -> Iterator[str]:
    for text, box in placed:
        if (
            box.x0 < -SLACK_PX
            or box.y0 < -SLACK_PX
            or (box.x1 > page.x1 + SLACK_PX or box.y1 > page.y1 + SLACK_PX)
        ):
            yield f"cut by the edge: {text!r}"


def _overprinted(placed: list[tuple[str, Bbox]]) -> Iterator[str]:
    for (one, first), (other, second) in combinations(placed, 2):
        if _smaller(first).overlaps(_smaller(second)):
            yield f"{one!r} overprints {other!r}"


def _outside(placed: list[tuple[str, Bbox]], boxes: list[Bbox]) -> Iterator[str]:
    for text, box in placed:
        middle = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
        for frame in boxes:
            if frame.contains(*middle) and (box.x0 < frame.x0 or box.x1 > frame.x1):
                yield f"wider than its box: {text!r}"
