"""Validate, choose, match and split 100,000 patients.

Run: ``python benchmarks/cohort_tables.py [PATIENTS]``. Prints seconds per step and peak memory.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

LIMIT_SECONDS = 60


def write_tables(root: Path, n: int) -> None:
    """Write the six tables of `n` patients with one or two scans and four NIHSS values each."""
    rng = np.random.default_rng(0)
    person = pd.Series([f"sub-{i:08x}" for i in range(n)])
    ht = rng.random(n) < 0.3
    age = rng.normal(68, 12, n) + 4 * ht
    first = rng.uniform(1, 30, n).round(2)
    detected = first + rng.uniform(13, 100, n).round(2)
    two = np.flatnonzero(rng.random(n) < 0.3)
    base = rng.integers(2, 25, n)
    grade = rng.choice(["HI1", "HI2", "PH1", "PH2"], n)
    treatments = ["none", "antiplatelet", "thrombolytic;antiplatelet", "anticoagulant", "unknown"]
    scans = pd.DataFrame({"participant_id": person, "hours_from_first": 0.0})
    scans["scan_id"] = person + "_ses-01"
    later = scans.iloc[two].assign(scan_id=person[two] + "_ses-02", hours_from_first=12.0)
    series = pd.DataFrame(
        {
            "participant_id": np.repeat(person.to_numpy(), 4),
            "hours": (np.repeat(first, 4) + np.tile([0, 6, 24, 48], n)).round(2),
            "nihss": (np.repeat(base, 4) + rng.integers(-2, 9, 4 * n)).clip(0, 42),
        }
    )
    review = {"role": "reviewer", "label": ht * 1, "ht_grade": np.where(ht, grade, "none")}
    two_reviews = pd.DataFrame({"participant_id": person} | review)
    tables = {
        "participants": pd.DataFrame(
            {
                "participant_id": person,
                "age": age.clip(18, 105).round(1),
                "sex": rng.choice(["F", "M"], n),
                "site": rng.choice(list("ABCDE"), n),
                "admission_year": rng.integers(2012, 2024, n),
            }
        ),
        "scans": pd.concat([scans, later]),
        "clinical": pd.DataFrame(
            {
                "participant_id": person,
                "treatment": rng.choice(treatments, n),
                "onset_to_first_scan_hours": first,
                "nihss": base,
                "glucose_mmol_l": rng.lognormal(2, 0.25, n).clip(3, 30).round(1),
                "systolic_mmhg": rng.normal(150, 20, n).clip(90, 240).round(),
            }
        ),
        "labels": pd.DataFrame(
            {
                "participant_id": person,
                "label": ht * 1,
                "ht_grade": np.where(ht, grade, "none"),
                "ht_detected_hours": np.where(ht, detected.round(2).astype(str), "n/a"),
                "last_imaging_hours": (first + 130).round(2),
                "ht_is_main_cause": 1,
                "major_intervention": 0,
            }
        ),
        "nihss": series,
        "reviews": pd.concat([two_reviews.assign(reviewer_id=who) for who in ("r1", "r2")]),
    }
    for name, table in tables.items():
        table.to_csv(root / f"{name}.tsv", sep="\t", index=False)


@contextmanager
def timed(name: str, seconds: dict[str, float]) -> Iterator[None]:
    """Note how long a step took."""
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start
    print(f"{name:<44}{seconds[name]:8.2f} s")


def main(n: int) -> None:
    """Run all steps."""
    from hemocast.dataset.cohort.choose import read_tables
    from hemocast.dataset.cohort.eligibility import select_scans
    from hemocast.dataset.cohort.labels import apply_reviews
    from hemocast.dataset.cohort.matching import match_patients
    from hemocast.dataset.cohort.symptomatic import symptomatic
    from hemocast.dataset.cohort.table1 import describe_patients, make_table1
    from hemocast.dataset.split.by_patient import split_patients
    from hemocast.dataset.split.saved import save_split, save_splits
    from hemocast.dataset.split.schemes import split_by_date, split_by_site, split_folds

    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_tables(root, n)
        with timed("read and validate six tables", seconds):
            tables = read_tables(root)
        with timed("reviews, kappa", seconds):
            tables, _ = apply_reviews(tables)
        with timed("five definitions of symptomatic", seconds):
            symptomatic(tables)
        with timed("eligibility, flow, scan times", seconds):
            eligible = select_scans(tables)
        patients = describe_patients(tables)
        inside = patients["participant_id"].isin(eligible.labels)
        with timed("match by age (0.1 years) and sex", seconds):
            columns = ["participant_id", "age", "sex", "label", "nihss"]
            matching = match_patients(patients.loc[inside, columns])
        labels = {p: label for p, label in eligible.labels.items() if p in matching.participants}
        people = tables.participants.set_index("participant_id")
        with timed("split 9:1, 10 folds, sites, date, receipts", seconds):
            scans = eligible.scans["participant_id"]
            save_split(split_patients(labels, 0.1, 0), labels, scans, root / "splits")
            folds = split_folds(labels, 10, 0, min_per_class=100)
            sites = split_by_site(labels, people["site"].to_dict())
            date = split_by_date(labels, people["admission_year"].to_dict(), 2021)
            save_splits([*folds, *sites, date], labels, scans, root / "splits")
        with timed("Table 1", seconds):
            chosen = patients[patients["participant_id"].isin(labels)].copy()
            chosen["class"] = chosen["label"].map({True: "HT", False: "no HT"})
            make_table1(chosen, "class")
    total = sum(seconds.values())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{n} patients, {len(tables.scans)} scans, {len(matching.pairs)} pairs")
    print(f"total {total:.1f} s = {total / LIMIT_SECONDS:.2f} of the {LIMIT_SECONDS} s allowed")
    print(f"peak memory {memory:.0f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
