from __future__ import annotations

import csv
import io

import pytest

from hemocast.pipeline.study.methods import _METHODS
from hemocast.pipeline.study.results import _RESULTS
from hemocast.report.checklists.checklist import (
    NAMES,
    Flag,
    Statement,
    checklist_csv,
    fill,
    not_applied,
    read_checklist,
)

ITEMS = {"tripod-ai": 52, "claim": 44, "stard-ai": 48, "probast-ai": 34, "decide-ai": 38}
"""As published: subitems counted, and the ten generic ones of DECIDE-AI."""


@pytest.mark.parametrize("name", NAMES)
def test_every_item_is_there_once_with_its_source(name: str) -> None:
    found = read_checklist(name)
    numbers = [item.number for item in found.items]
    assert len(numbers) == len(set(numbers)) == ITEMS[name]
    assert found.doi.startswith("10.")
    assert all(item.told or item.author for item in found.items)


@pytest.mark.parametrize("name", NAMES)
def test_items_ask_for_what_can_be_said(name: str) -> None:
    known = {*_METHODS, *_RESULTS, "doubts"}
    asked = {key for item in read_checklist(name).items for key in (*item.told, *item.more)}
    assert asked <= known


def test_an_item_is_answered_in_part_or_the_authors_to_write() -> None:
    checklist = read_checklist("tripod-ai")
    said = (Statement("inputs", "Predictors", "The frames."), Statement("size", "Numbers", "61."))
    filled = fill(checklist, said, ())
    status = {answer.item.number: answer.status for answer in filled.answers}
    assert status["21"] == "answered"
    assert status["10"] == "partly"
    assert status["9b"] == "partly"  # how scans were prepared is not known
    assert status["12a"] == "partly"  # nor how patients were divided
    assert status["18a"] == "author must write"
    assert status["22"] == "author must write"  # no model was given
    assert not_applied(checklist).count("does not apply") == 52


def test_the_table_says_where_an_answer_stands_and_what_is_flagged() -> None:
    flag = Flag("leakage", "high", "two patients are in both")
    said = (Statement("split", "Division", "Train 30, test 10."),)
    text = checklist_csv(
        [fill(read_checklist("probast-ai"), said, [flag])], "study.html", simulated=True
    )
    rows = {row["item"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["E4.5"]["where"] == "study.html#split"
    assert rows["E4.5"]["risk_of_bias"] == "high: Two patients are in both."
    assert rows["D2.1"]["risk_of_bias"] == ""
    assert {row["simulated"] for row in rows.values()} == {"1"}
