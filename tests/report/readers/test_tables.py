"""The tables of a reader study."""

from __future__ import annotations

import csv
import io

import pytest

from hemocast.evaluate.result import EvaluationResult
from hemocast.readers.analysis.analyse import ReaderAnalysis
from hemocast.report.readers.tables import reader_tables, table2_latex


@pytest.fixture(scope="module")
def analysis(reader_study: EvaluationResult) -> ReaderAnalysis:
    assert reader_study.readers is not None
    return reader_study.readers


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_table_2_holds_model_readers_and_averages(analysis: ReaderAnalysis) -> None:
    tables = reader_tables(analysis, simulated=False)
    assert {*tables} == {
        "table2.csv", "table2.tex", "reader_tests.csv", "reader_components.csv", "agreement.csv",
        "times.csv",
    }  # fmt: skip
    found = {(row["rater"], row["arm"]): row for row in rows(tables["table2.csv"])}
    assert len(found) == 1 + 2 * (3 + 1)
    own = found["C_1", "unaided"]
    assert float(own["auc_one_point"]) == pytest.approx(
        (float(own["sensitivity"]) + float(own["specificity"])) / 2
    )
    assert "simulated" not in own


def test_tests_agreement_and_times_name_what_they_measure(analysis: ReaderAnalysis) -> None:
    tables = reader_tables(analysis, simulated=True)
    tests = rows(tables["reader_tests.csv"])
    assert {row["question"] for row in tests} == {"model and readers", "aided and unaided"}
    assert {row["scope"] for row in tests} >= {"readers and cases random", "one reader"}
    measures = {row["measure"] for row in rows(tables["agreement.csv"])}
    assert {"percent_agreement", "cohen_kappa", "gwet_ac1", "fleiss_kappa"} <= measures
    assert len(rows(tables["times.csv"])) == 6
    assert all(row["simulated"] == "1" for row in tests)


def test_latex_escapes_names_and_says_simulated(analysis: ReaderAnalysis) -> None:
    text = table2_latex(analysis, simulated=True)
    assert r"C\_1, unaided &" in text
    assert r"C2 \& co, aided &" in text
    assert r"\caption{SIMULATED data, not clinical evidence. Model and readers on 40 scans" in text
    assert "SIMULATED" not in table2_latex(analysis, simulated=False)
    # The header, and one line per rater; a rule after the model and the first arm's average.
    assert text.count(r" \\") == 10
    assert text.count(r"\midrule") == 3
