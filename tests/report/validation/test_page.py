"""The page of a validation: what speaks against the model stands first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from hemocast.evaluate.run import EvaluationOptions, Tables, evaluate_inputs, read_inputs
from hemocast.evaluate.validation.likeness import count_doubted
from hemocast.evaluate.validation.recalibrated import try_recalibration
from hemocast.evaluate.validation.result import Flow, Validated
from hemocast.evaluate.validation.size import Expected, check_size
from hemocast.model import Calibration
from hemocast.report.validation.page import doubts_of, validation_page, validation_record
from hemocast.stats import Resampling


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Validated:
    """A model that expects twice as much HT as there is."""
    rng = np.random.default_rng(0)
    logit = rng.normal(-1, 1.5, 400)
    label = (rng.random(400) < expit(logit - 1)).astype(np.int64)
    rows = [f"p{i},s{i},{label[i]},{expit(logit[i]):.6f}" for i in range(400)]
    table = tmp_path_factory.mktemp("page") / "predictions.csv"
    table.write_text("\n".join(["participant_id,scan_id,label,probability", *rows]) + "\n")
    options = EvaluationOptions(resampling=Resampling(100))
    result = evaluate_inputs(read_inputs(Tables(table)), options, lambda *_: None)
    curve = Calibration(1.0, 0.0, ((0.01, 0.0), (0.0, 0.01)), 0.3, 100, 100)
    return Validated(
        "<b>ht</b>", "1.0", "a" * 64, "patients", "HT within 7 days",
        Flow(500, 430, 430, 400, (("HC303", 20), ("HC203", 10))),
        check_size(Expected(0.8, 0.1), 400, int(label.sum())), result, count_doubted(400, 2), (),
        try_recalibration(curve, logit, label, np.arange(400)), 2,
    )  # fmt: skip


def test_what_speaks_against_it_is_said_gravest_first(found: Validated) -> None:
    said = list(doubts_of(replace(found, calibrated_here=True)))
    for line, begins in zip(
        said,
        ("The model was recalibrated on these very patients", "Too few patients",
         "The outcome of 70 of 500 patients is not known", "HT is seen 0.", "2 other model(s)"),
        strict=True,
    ):  # fmt: skip
        assert line.startswith(begins)


def test_the_page_shows_all_parts_and_escapes_names(
    found: Validated, html_faults: Callable[[str], list[str]]
) -> None:
    page = validation_page(found, ())
    assert html_faults(page) == []
    assert "&lt;b&gt;ht&lt;/b&gt; 1.0 hold here?" in page
    assert "A gap in the slices" in page
    assert "Recalibration would move all log odds by one amount." in page
    assert "No reference was given" in page


def test_the_record_holds_the_same_numbers(found: Validated) -> None:
    record = validation_record(found)
    assert record["flow"]["refusals"] == {"HC303": 20, "HC203": 10}
    assert record["metrics"]["observed_expected"]["value"] < 0.7
    assert (record["recalibration"], record["enough"]) == ("moved", False)
