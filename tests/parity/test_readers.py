"""A reader study's analysis against R: MRMCaov on Van Dyke's data."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from hemocast.readers.analysis.analyse import analyse_readings
from hemocast.readers.analysis.data import ReadingTable
from hemocast.stats import Resampling


def test_aided_against_unaided_is_what_r_gives_for_van_dyke(reference: Path) -> None:
    with (reference / "VanDyke.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    rating, case = columns["rating"].astype(int), columns["case"].astype(np.int64)
    readings = ReadingTable(
        reader=columns["reader"].astype(object),
        arm=np.where(columns["treatment"] == "1", "unaided", "aided").astype(object),
        row=case,
        truth=columns["truth"] == "1",
        patient=case,
        probability=rating / 5,
        decision=rating >= 4,
        seconds=np.ones(case.size),
        repeat=np.zeros(case.size, dtype=np.int64),
    )
    found = analyse_readings(readings, [], Resampling(200))
    (test,) = (one for one in found.tests if one.metric == "auc")
    printed = json.loads((reference / "VanDyke.json").read_text(encoding="utf-8"))
    assert f"{test.difference.p:.5f}" in _numbers(printed)
    assert test.first_mean - test.second_mean == pytest.approx(test.difference.difference)
    assert (test.n_readers, test.n) == (5, 114)


def _numbers(content: object) -> set[str]:
    """All numbers of a nested JSON, to five digits."""
    if isinstance(content, dict):
        return set().union(*map(_numbers, content.values()))
    if isinstance(content, list):
        return set().union(*map(_numbers, content)) if content else set()
    return {f"{content:.5f}"} if isinstance(content, float | int) else set()
