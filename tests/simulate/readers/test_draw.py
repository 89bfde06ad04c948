"""Simulated readers keep what was asked of them, within Monte Carlo error."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import timedelta
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from hemocast.errors import StatisticsError, UsageError
from hemocast.papercheck import PAPER, read_printed
from hemocast.simulate.readers.draw import (
    PER_DAY,
    WASHOUT_DAYS,
    Reading,
    simulate_readings,
    write_readings,
)
from hemocast.simulate.readers.specs import (
    PAPER_CORRELATION,
    PAPER_READERS,
    Correlation,
    ModelAid,
    ReaderSpec,
    ReadingPlan,
    ScansToRead,
)
from hemocast.stats import Cases, auc, percent_agreement

N = 6000
LABEL = np.arange(N) % 3 > 0  # two thirds, as the paper's test part
SENSITIVITY, SPECIFICITY = 0.7155, 0.8029  # the paper's model


def model_scores(label: np.ndarray, seed: int) -> np.ndarray:
    """Return scores whose decisions at 0 have the paper's sensitivity and specificity."""
    rng = np.random.default_rng(seed)
    center = np.where(label, norm.ppf(SENSITIVITY), -norm.ppf(SPECIFICITY))
    return center + rng.normal(size=label.size)


SCORE = model_scores(LABEL, 3)


def read(n: int = N, label: np.ndarray = LABEL, score: np.ndarray = SCORE, *,
         aid: ModelAid | None = None, seed: int = 0, **plan):  # fmt: skip
    ids = [f"sub-{k:04d}" for k in range(n)]
    cases = Cases(label[:n], score[:n])
    scans = ScansToRead(ids, [f"{name}_ses-01" for name in ids], cases)
    return simulate_readings(scans, ReadingPlan(**plan), aid=aid, seed=seed)


def by_scan(readings: tuple[Reading, ...], field: str, **which) -> np.ndarray:
    """Return a field of one reader's readings in the order of the scans."""
    some = [r for r in readings if all(getattr(r, k) == v for k, v in which.items())]
    return np.array([getattr(r, field) for r in sorted(some, key=lambda r: r.scan_id)])


def kappa_free_rho(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of the latent impressions, from probabilities not rounded to 0 or 1."""
    inside = (a > 0) & (a < 1) & (b > 0) & (b < 1)
    return float(np.corrcoef(np.log(a / (1 - a))[inside], np.log(b / (1 - b))[inside])[0, 1])


@pytest.fixture(scope="module")
def readings():
    return read(correlation=PAPER_CORRELATION, seed=11)


@pytest.mark.parametrize("spec", PAPER_READERS, ids=lambda spec: spec.name)
def test_sensitivity_specificity_and_auc_are_as_asked(readings, spec: ReaderSpec) -> None:
    decision = by_scan(readings, "decision", reader_id=spec.name)
    probability = by_scan(readings, "probability", reader_id=spec.name)
    assert decision[LABEL].mean() == pytest.approx(spec.sensitivity, abs=3.5 * 0.5 / 4000**0.5)
    assert 1 - decision[~LABEL].mean() == pytest.approx(
        spec.specificity, abs=3.5 * 0.33 / 2000**0.5
    )
    # Steps of 5 % cost the AUC a little.
    assert auc(Cases(LABEL, probability)) == pytest.approx(spec.auc, abs=0.02)


def test_spread_changes_the_auc_and_not_the_decisions() -> None:
    wide = ReaderSpec("A", 0.7, 0.8, spread=1.6)
    found = read(readers=[wide], seed=2)
    decision = by_scan(found, "decision")
    assert decision[LABEL].mean() == pytest.approx(0.7, abs=0.03)
    assert 1 - decision[~LABEL].mean() == pytest.approx(0.8, abs=0.03)
    assert wide.auc < ReaderSpec("A", 0.7, 0.8).auc
    assert auc(Cases(LABEL, by_scan(found, "probability"))) == pytest.approx(wide.auc, abs=0.02)


def test_correlations_are_as_asked() -> None:
    # Faint-hearted readers stay clear of 0 and 1, so that their log odds show the impression.
    pair = [ReaderSpec(name, 0.7, 0.7, boldness=0.8) for name in "AB"]
    asked = Correlation(score=0.3, between=0.5, within=0.8)
    found = read(readers=pair, correlation=asked, seed=4, repeats=1.0)
    first, second = (by_scan(found, "probability", reader_id=r, repeat=0) for r in "AB")
    again = by_scan(found, "probability", reader_id="A", repeat=1)
    for inside in (LABEL, ~LABEL):
        assert kappa_free_rho(first[inside], second[inside]) == pytest.approx(0.5, abs=0.05)
        assert kappa_free_rho(first[inside], again[inside]) == pytest.approx(0.8, abs=0.04)
        logit = np.log(first[inside] / (1 - first[inside]) + 1e-9)
        rho = np.corrcoef(logit, SCORE[inside])[0, 1]
        assert rho == pytest.approx(0.3**0.5, abs=0.05)


def test_the_preset_has_the_rows_that_the_paper_prints() -> None:
    rows = {
        (p.row, p.column): float(p.number.text) / 100
        for p in read_printed(PAPER)
        if p.table == "Table 2"
    }
    for spec in PAPER_READERS:
        assert spec.sensitivity == pytest.approx(rows[spec.name, "sensitivity"], abs=1e-9)
        asked = rows[spec.name, "specificity"]
        assert spec.specificity == pytest.approx(asked if asked < 1 else 21.5 / 22, abs=1e-4)
    assert [spec.name for spec in PAPER_READERS] == [f"C{k}" for k in range(1, 9)]


def test_agreement_of_the_preset_lies_in_the_papers_range(readings) -> None:
    decisions = {s.name: by_scan(readings, "decision", reader_id=s.name) for s in PAPER_READERS}
    pairs = combinations(decisions.values(), 2)
    among = [percent_agreement(a, b).value for a, b in pairs]
    assert min(among) > 0.61
    assert max(among) < 0.87
    called = (SCORE >= 0).astype(int)
    model = [percent_agreement(d, called).value for d in decisions.values()]
    assert 0.51 < np.mean(model) < 0.59
    assert max(model) < 0.625


def test_agreement_spreads_as_in_the_paper_over_61_scans() -> None:
    label = np.arange(61) < 40
    lows, highs = [], []
    for seed in range(40):
        found = read(61, label, model_scores(label, seed), seed=seed)
        decisions = [by_scan(found, "decision", reader_id=s.name) for s in PAPER_READERS]
        among = [np.mean(a == b) for a, b in combinations(decisions, 2)]
        lows.append(min(among))
        highs.append(max(among))
    assert np.mean(lows) == pytest.approx(0.61, abs=0.06)
    assert np.mean(highs) == pytest.approx(0.87, abs=0.05)


def test_chance_is_not_shared_with_other_users_of_the_same_seed() -> None:
    alone = [ReaderSpec("A", 0.7, 0.7, boldness=0.8)]
    same = Correlation(score=0.0, between=1.0, within=1.0)
    for other in (np.random.default_rng(6), np.random.default_rng([6, 1])):
        found = read(readers=alone, correlation=same, seed=6)
        drawn = other.normal(size=N)
        inside = ~LABEL
        rho = np.corrcoef(by_scan(found, "probability")[inside], drawn[inside])[0, 1]
        assert abs(rho) < 0.1


def test_the_aided_arm_moves_readers_towards_the_model() -> None:
    probability = 1 / (1 + np.exp(-1.5 * SCORE))
    found = read(1500, readers=PAPER_READERS[:2], arms=("unaided", "aided"), seed=5,
                 aid=ModelAid(probability[:1500]))  # fmt: skip
    called = SCORE[:1500] >= 0
    agreement = {
        arm: np.mean(by_scan(found, "decision", reader_id="C1", arm=arm) == called)
        for arm in ("unaided", "aided")
    }
    assert agreement["aided"] > agreement["unaided"] + 0.03
    sensitivity = [by_scan(found, "decision", reader_id="C1", arm=arm)[LABEL[:1500]].mean()
                   for arm in ("unaided", "aided")]  # fmt: skip
    assert sensitivity[1] > sensitivity[0]


def test_readers_have_their_own_orders_and_wash_out_between_readings_of_a_scan() -> None:
    found = read(70, readers=PAPER_READERS, arms=("unaided", "aided"), repeats=0.2, seed=9,
                 aid=ModelAid(np.full(70, 0.4)))  # fmt: skip
    assert len(found) == 8 * 2 * (70 + 14)
    orders, first_arms = set(), set()
    for spec in PAPER_READERS:
        mine = [r for r in found if r.reader_id == spec.name]
        assert [r.order for r in mine] == list(range(1, 169))
        times = [r.read_at for r in mine]
        assert times == sorted(times)
        assert all(t.weekday() < 5 and 9 <= t.hour < 20 for t in times)
        seen = defaultdict(list)
        for r in mine:
            seen[r.scan_id].append(r.read_at)
        gaps = [b - a for ts in seen.values() for a, b in pairwise(ts)]
        assert min(gaps) >= timedelta(days=WASHOUT_DAYS)
        days = [t.date() for t in times]
        assert max(days.count(day) for day in set(days)) <= PER_DAY
        orders.add(tuple(r.scan_id for r in mine[:70]))
        first_arms.add(mine[0].arm)
    assert len(orders) == 8
    assert first_arms == {"unaided", "aided"}


def test_answers_fit_each_other(readings) -> None:
    for r in readings[:2000]:
        assert r.probability * 20 == pytest.approx(round(r.probability * 20))
        assert r.decision == 1 or r.probability <= 0.5
        assert r.decision == 0 or r.probability >= 0.5
        assert 1 <= r.confidence <= 5
        assert r.seconds >= 5
    seconds = np.log([r.seconds for r in readings])
    assert np.exp(np.median(seconds)) == pytest.approx(70, rel=0.03)


def test_the_same_seed_gives_the_same_rows_and_global_state_is_not_used() -> None:
    np.random.seed(1)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    one = read(40, seed=3)
    np.random.seed(2)  # noqa: NPY002
    assert read(40, seed=3) == one
    assert read(40, seed=4) != one
    np.random.seed(1)  # noqa: NPY002
    read(40, seed=3)
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
    assert read(40, seed=3, readers=PAPER_READERS[:1]) == one[:40]


def test_the_table_says_simulated_in_every_row(tmp_path: Path) -> None:
    found = read(5, readers=PAPER_READERS[:1])
    write_readings(tmp_path / "readings.csv", found)
    with (tmp_path / "readings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "reader_id", "participant_id", "scan_id", "probability", "decision", "confidence",
        "seconds", "arm", "order", "repeat", "read_at", "simulated",
    ]  # fmt: skip
    assert {row["simulated"] for row in rows} == {"1"}
    assert rows[0]["read_at"].startswith("2025-01-06T09:0")
    assert float(rows[3]["probability"]) == found[3].probability


def test_an_aided_arm_needs_a_model() -> None:
    with pytest.raises(UsageError, match="without a model"):
        read(10, arms=("aided",))
    with pytest.raises(StatisticsError):
        read(10, arms=("aided",), aid=ModelAid(np.full(9, 0.5)))
