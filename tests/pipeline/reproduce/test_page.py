"""The page of a reproduction: what was run, what was chosen, and that all of it is simulated."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from hemocast.pipeline.reproduce.page import EARLY_WORDS, LATE_WORDS, LIMITS


@pytest.fixture(scope="module")
def said(small: Path) -> str:
    page = (small / "report.html").read_text(encoding="utf-8")
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.mark.slow
def test_it_says_what_was_run_and_the_best_there_can_be(said: str) -> None:
    for part in ("10, 5 of them with HT; the paper: 474", "overlap 0", "128 x 128 pixels, 5 mm"):
        assert part in said
    found = re.search(r"(\d\.\d+) knowing everything, (\d\.\d+) from the first scan alone", said)
    assert found is not None
    assert 0.5 < float(found[2]) <= float(found[1]) <= 1


@pytest.mark.slow
def test_it_says_what_it_does_not_show(said: str) -> None:
    for line in LIMITS:
        assert line in said
    assert "Every head, infarct, outcome and reader was simulated" in said


@pytest.mark.slow
def test_the_heatmaps_are_chosen_by_the_infarct_and_not_by_their_success(small: Path) -> None:
    drawn = (small / "figures" / "figure3.svg").read_text(encoding="utf-8")
    assert LATE_WORDS in drawn
    assert EARLY_WORDS in drawn
    late, early = (int(x) for x in re.findall(r"water uptake (-?\d+) %", drawn))
    assert late >= early


@pytest.mark.slow
def test_figures_carry_what_the_paper_prints(said: str) -> None:
    assert "The paper prints for CTNet a sensitivity of 71.55 (60.6 to 85.0) %" in said
    assert "Supplementary Figure 4. ROC of the model, with the readers' decisions" in said


@pytest.mark.slow
def test_the_method_is_drawn_from_this_runs_own_settings(small: Path) -> None:
    drawn = (small / "figures" / "figure1.svg").read_text(encoding="utf-8")
    for part in ("10 patients", "in both: none", "beside 8 simulated readers", "SIMULATED"):
        assert part in drawn
