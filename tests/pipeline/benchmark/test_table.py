"""Table 3: one line a model, spans over seeds, intervals for one, and nothing invented."""

from __future__ import annotations

from hemocast.pipeline.benchmark.rows import METRICS, Row
from hemocast.pipeline.benchmark.table import HEADINGS, lines_of
from hemocast.stats import Estimate


def row(model: str, seed: int | None, value: float, cpu: float | None = 60.0) -> Row:
    estimates = {name: Estimate(value, value - 0.1, value + 0.1, "test", 9) for name in METRICS}
    estimates["calibration_slope"] = Estimate.bare(float("nan"), 9, "undefined: test")
    return Row(model, seed, "", 5, 9, 0.5, 0.25, 3, 1234, cpu, estimates)


def test_seeds_are_averaged_with_their_span_and_one_keeps_its_interval() -> None:
    lines = lines_of([row("a", 0, 0.5), row("b", None, 0.3, None), row("a", 1, 0.7, None)])
    assert [line[0] for line in lines] == ["a", "b"]
    a, b = (dict(zip(HEADINGS, line, strict=True)) for line in lines)
    assert (a["Seeds"], b["Seeds"]) == ("2", "")
    assert a["Heatmap's peak on the infarct"] == ""
    assert a["AUC"] == "60.0 (50.0 to 70.0)"
    assert b["AUC"] == "30.0 (20.0 to 40.0)"
    assert a["Brier score"] == "0.600 (0.500 to 0.700)"
    assert a["Calibration slope"] == "undefined"
    assert (a["CPU, s"], b["CPU, s"]) == ("60", "")
    assert a["Parameters"] == "1,234"
    assert a["Called positive"] == "25"
