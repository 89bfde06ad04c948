"""Pictures of scans for print."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from hemocast.report.figures.drawing import Drawing
from hemocast.report.paper.pictures import HeatmapCase, heatmap_figure, preparation_figure
from hemocast.volume import Source, Volume


@pytest.fixture
def case(prediction) -> HeatmapCase:
    stack, heatmap = prediction.stack, prediction.heatmap
    lesion = np.zeros(stack.frames.shape, bool)
    lesion[12:16, 80:110, 120:140] = True
    return HeatmapCase("Infarct visible", stack, heatmap, lesion, 0.73)


def test_the_infarct_chooses_the_frame_and_the_text_names_the_evidence(
    case, artefacts, misplaced
) -> None:
    figure = heatmap_figure([case, case])
    assert misplaced(figure) == []
    (artefacts / "heatmap_figure.png").write_bytes(Drawing("x", figure, "x").png)
    said = [text.get_text() for text in figure.findobj(Text)]
    weight = np.maximum(case.heatmap, 0)
    weight = np.where(case.stack.brain, weight, 0).sum(axis=(1, 2))
    most = f"most evidence: {int(weight.argmax()) + 1}\nmodel: 73 %"
    assert any("frame 13 of 28, " + most in text for text in said)


def test_a_scan_without_evidence_says_so(case) -> None:
    empty = HeatmapCase("none", case.stack, np.zeros_like(case.heatmap), case.lesion, 0.1)
    said = [t.get_text() for t in heatmap_figure([empty]).findobj(Text)]
    assert any("frame 13 of 28, no evidence" in text for text in said)


def test_preparation_shows_the_scan_and_all_frames(stack, artefacts: Path, misplaced) -> None:
    hu = np.full((20, 64, 64), 35, np.float32)
    volume = Volume(hu, np.diag([3.0, 3.0, 6.0, 1.0]), ((),) * 20, Source("array", "a", 20))
    figure = preparation_figure(volume, stack, (10, 50))
    assert misplaced(figure) == []
    png = Drawing("x", figure, "x").png
    (artefacts / "preparation_figure.png").write_bytes(png)
    said = [text.get_text() for text in figure.findobj(Text)]
    assert "b  20 slices, sagittal" in said
    assert "d  10 to 50 HU, brain edge" in said
    assert {str(k) for k in range(1, 29)} <= set(said)
    assert Image.open(io.BytesIO(png)).size[0] == 2160
