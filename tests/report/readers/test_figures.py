"""Figures of a reader study."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemocast.evaluate.result import EvaluationResult
from hemocast.readers.analysis.analyse import ReaderAnalysis
from hemocast.report.readers.figures import (
    agreement_panels,
    confusion_panels,
    draw_readers,
    probability_lines,
    reader_lines,
    reader_points,
)


@pytest.fixture(scope="module")
def analysis(reader_study: EvaluationResult) -> ReaderAnalysis:
    assert reader_study.readers is not None
    return reader_study.readers


def test_readers_lie_where_their_decisions_are(analysis: ReaderAnalysis) -> None:
    points = reader_points(analysis)
    assert len(points) == 2 * (3 + 1)
    assert sum(point.average for point in points) == 2
    assert sum(point.aided for point in points) == 4
    known = {(r.name, r.arm): r for r in analysis.raters}
    own = known["C3", "unaided"]
    point = next(p for p in points if p.name == "C3" and not p.aided)
    assert point.tpr == own["sensitivity"].value
    assert point.fpr == pytest.approx(1 - own["specificity"].value)


def test_agreement_is_symmetric_and_undefined_with_oneself(analysis: ReaderAnalysis) -> None:
    names, panels = agreement_panels(analysis, "aided")
    assert names == ["model", "C2 & co", "C3", "C_1"]
    assert [panel.title for panel in panels] == ["Agreement", "Cohen's kappa", "Gwet's AC1"]
    for panel in panels:
        assert np.array_equal(panel.value, panel.value.T, equal_nan=True)
        assert np.isnan(np.diag(panel.value)).all()


def test_averages_have_no_matrix(analysis: ReaderAnalysis) -> None:
    assert len(confusion_panels(analysis.raters)) == 1 + 2 * 3


def test_every_arm_has_its_figures(analysis: ReaderAnalysis) -> None:
    names = [d.name for d in draw_readers(analysis, simulated=False)]
    kinds = ("readers-curves", "readers-scatter", "readers-confusion", "agreement")
    arms = [f"{kind}-{arm}" for arm in analysis.arms for kind in kinds]
    assert names == ["readers-roc", *arms]
    readers = tuple(rater for rater in analysis.raters if rater.kind != "model")
    alone = replace(analysis, raters=readers)
    assert "readers-roc" not in [d.name for d in draw_readers(alone, simulated=False)]


def test_the_models_curve_is_that_of_the_scans_read(analysis: ReaderAnalysis) -> None:
    (line,) = reader_lines(analysis)
    model = analysis.raters[0]
    assert line.curve is model.roc
    assert line.point == (1 - model["specificity"].value, model["sensitivity"].value)


def test_readers_probabilities_have_curves_with_their_area(analysis: ReaderAnalysis) -> None:
    lines = probability_lines(analysis, "aided")
    assert [line.name for line in lines] == ["model", "C2 & co", "C3", "C_1"]
    own = next(r for r in analysis.raters if (r.name, r.arm) == ("C3", "aided"))
    curve, area = lines[2].curve, lines[2].auc
    assert np.trapezoid(curve.tpr, curve.fpr) == pytest.approx(own.auc.value)
    assert (area, lines[2].point) == (
        own.auc, (1 - own["specificity"].value, own["sensitivity"].value),
    )  # fmt: skip


def test_readers_without_probabilities_have_no_curve_and_the_caption_counts_them(
    analysis: ReaderAnalysis,
) -> None:
    fewer = [replace(r, roc=None) if r.name == "C3" else r for r in analysis.raters]
    drawn = {
        d.name: d for d in draw_readers(replace(analysis, raters=tuple(fewer)), simulated=False)
    }
    caption = drawn["readers-curves-unaided"].caption
    assert "1 of 3 readers gave no probability for some scans: no curve." in caption
    bare = tuple(replace(r, roc=None) if r.kind == "reader" else r for r in analysis.raters)
    names = [d.name for d in draw_readers(replace(analysis, raters=bare), simulated=False)]
    assert not [name for name in names if name.startswith("readers-curves")]
