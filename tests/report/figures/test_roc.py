"""ROC curves: legend, band, points of readers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hemocast.report.figures.roc import ReaderPoint, RocLine, roc_figure
from hemocast.stats import Cases, Resampling, auc_interval, bootstrap_roc, roc_curve

NAN = float("nan")


def line(cases: tuple[np.ndarray, np.ndarray], name: str = "ours") -> RocLine:
    label, score = cases
    return RocLine(
        name, roc_curve(Cases(label, score)), auc_interval(Cases(label, score)), None, (0.2, 0.7)
    )


def test_the_legend_gives_the_auc_with_its_limits(
    cases: tuple[np.ndarray, np.ndarray], check_figure: Callable
) -> None:
    ours = line(cases)
    words = check_figure(lambda simulated: roc_figure([ours], simulated=simulated))
    low, high = ours.auc.ci_low, ours.auc.ci_high
    assert f"ours, AUC {ours.auc.value:.2f} ({low:.2f} to {high:.2f})" in words
    bare = replace(ours, auc=replace(ours.auc, ci_low=NAN, ci_high=NAN, warning="few"))
    words = check_figure(lambda simulated: roc_figure([bare], simulated=simulated))
    assert f"ours, AUC {ours.auc.value:.2f}<" in words


def test_readers_are_points_by_arm_and_the_average_apart(
    cases: tuple[np.ndarray, np.ndarray], check_figure: Callable
) -> None:
    points = [
        ReaderPoint("C1", 0.2, 0.6),
        ReaderPoint("C1", 0.1, 0.7, aided=True),
        ReaderPoint("mean", 0.2, 0.6, average=True),
    ]
    words = check_figure(lambda simulated: roc_figure([line(cases)], points, simulated=simulated))
    for said in ("reader alone", "reader with the model", "mean reader alone"):
        assert said in words
    one_arm = check_figure(
        lambda simulated: roc_figure([line(cases)], points[:1], simulated=simulated)
    )
    assert "C1" in one_arm
    assert ">reader<" in one_arm


def test_no_reader_hides_another_reader_or_the_curve(
    cases: tuple[np.ndarray, np.ndarray], check_figure: Callable
) -> None:
    rng = np.random.default_rng(0)
    near = [ReaderPoint(f"Neurologist_{k}", *rng.choice([0.2, 0.22], 2)) for k in range(8)]
    edge = [ReaderPoint("Neurologist_8", 1, 1), ReaderPoint("Neurologist_9", 0.98, 1)]
    ends = [ReaderPoint("R1", 0, 0), ReaderPoint("R2", 0, 0.02), ReaderPoint("R3", 0, 0)]
    ours = line(cases, "a network with a long")
    for points in (near, [*edge, *ends]):
        words = check_figure(
            lambda simulated, points=points: roc_figure([ours], points, simulated=simulated)
        )
        for point in points:
            assert point.name in words
    assert "R1, R3" in words, "two readers at one point share a line"


def test_a_band_is_drawn_where_curves_are_few(cases: tuple[np.ndarray, np.ndarray]) -> None:
    label, score = cases
    band = bootstrap_roc(Cases(label, score, np.arange(80)), resampling=Resampling(100))
    banded = replace(line(cases), band=band)
    few, many = roc_figure([banded]), roc_figure([banded] * 3)
    assert len(few.axes[0].collections) == 1
    assert len(many.axes[0].collections) == 0


def test_many_curves_are_named_below_the_axes(
    cases: tuple[np.ndarray, np.ndarray], check_figure: Callable
) -> None:
    lines = [line(cases, f"Neurologist {k}") for k in range(9)]
    assert "Neurologist 8" in check_figure(lambda simulated: roc_figure(lines, simulated=simulated))
    figure = roc_figure(lines)
    assert figure.axes[0].get_legend() is None
    assert len(figure.legends) == 1
    assert roc_figure(lines[:2]).axes[0].get_legend() is not None
