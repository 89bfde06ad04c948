"""From the tables to the cohort: labels, eligibility, matching, Table 1, and all that on disk."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hemocast.dataset.cohort.choose import Tables, read_tables
from hemocast.dataset.cohort.eligibility import EligibilityConfig, Eligible, select_scans
from hemocast.dataset.cohort.labels import Decided, apply_reviews
from hemocast.dataset.cohort.matching import MatchConfig, Matching, match_patients
from hemocast.dataset.cohort.symptomatic import DEFINITIONS, symptomatic
from hemocast.dataset.cohort.table1 import Table1, describe_patients, make_table1
from hemocast.dataset.cohort.treatment import detection_may_be_staining, hours_since_treatment
from hemocast.dataset.layout import Dataset, write_json, write_table

if TYPE_CHECKING:
    import pandas as pd

BALANCED = ("participant_id", "age", "sex", "label", "nihss", "glucose_mmol_l", "systolic_mmhg")


@dataclass(frozen=True)
class Cohort:
    """A study's cohort.

    Parameters
    ----------
    tables : Tables
        Checked, labels filled from the reviews.
    decided : Decided or None
        Reviewers' agreement and the committee's work; None without ``reviews.tsv``.
    eligible : Eligible
        Scans that may enter, flow, scan times.
    matching : Matching or None
        Pairs, where asked for.
    scans : DataFrame
        The scans of the cohort: those of `eligible`, and with matching only those of the pairs.
    symptomatic : DataFrame
        Per participant of `scans`: symptomatic by each definition.
    table1 : Table1
        Baseline by class.
    settings : mapping
        What the cohort was made with.
    simulated : bool
        The dataset says that it is simulated.
    """

    tables: Tables
    decided: Decided | None
    eligible: Eligible
    matching: Matching | None
    scans: pd.DataFrame
    symptomatic: pd.DataFrame
    table1: Table1
    settings: Mapping[str, Any]
    simulated: bool

    @cached_property
    def labels(self) -> dict[str, int]:
        """participant_id -> 1 (HT) or 0 (no HT): what the splits take."""
        people = self.scans.drop_duplicates("participant_id")
        return dict(zip(people["participant_id"], people["label"].tolist(), strict=True))


def build_cohort(
    root: Path,
    eligibility: EligibilityConfig | None = None,
    match: MatchConfig | None = None,
) -> Cohort:
    """Make the cohort of a dataset.

    Parameters
    ----------
    root : Path
        The dataset folder.
    eligibility : EligibilityConfig, optional
        Window, follow-up, horizon.
    match : MatchConfig, optional
        Match 1:1 by age and sex; by default nobody is matched.

    Raises
    ------
    NothingThere, TableError, TooFewPatients
        As `read_tables`, `apply_reviews`, `select_scans` and `match_patients`.
    """
    eligibility = eligibility or EligibilityConfig()
    tables = read_tables(root)
    decided = None
    if len(tables.reviews):
        tables, decided = apply_reviews(tables)
    eligible = select_scans(tables, eligibility)
    patients = describe_patients(tables)
    matching, members = None, set(eligible.labels)
    if match:
        inside = patients["participant_id"].isin(members)
        matching = match_patients(patients.loc[inside, list(BALANCED)], match)
        members = set(matching.participants)
    scans = eligible.scans[eligible.scans["participant_id"].isin(members)].reset_index(drop=True)
    baseline = patients[patients["participant_id"].isin(members)].copy()
    baseline["class"] = baseline["label"].map({True: "HT", False: "no HT"})
    outcomes = symptomatic(tables)
    simulated = Dataset(root).is_simulated()
    return Cohort(
        tables,
        decided,
        eligible,
        matching,
        scans,
        outcomes[outcomes["participant_id"].isin(members)].reset_index(drop=True),
        make_table1(baseline, "class", simulated=simulated),
        {
            "eligibility": eligibility.model_dump(),
            "matching": match.model_dump() if match else None,
        },
        simulated,
    )


def save_cohort(cohort: Cohort, folder: Path) -> None:
    """Write the cohort.

    ``scans.tsv, excluded.tsv, flow.tsv, symptomatic.tsv``, with matching ``pairs.tsv``,
    ``unmatched.tsv`` and ``balance.tsv``, with reviews ``decisions.tsv``, ``table1.*``, and
    ``cohort.json``: counts, scan times, agreement, settings.
    """
    since = hours_since_treatment(cohort.tables)
    _save(folder / "scans.tsv", cohort.scans.merge(since, on="scan_id", how="left"))
    _save(folder / "excluded.tsv", cohort.eligible.excluded)
    _save(folder / "symptomatic.tsv", cohort.symptomatic)
    flow = [asdict(step) for step in cohort.eligible.flow]
    write_table(folder / "flow.tsv", flow, list(flow[0]))
    if cohort.decided:
        _save(folder / "decisions.tsv", cohort.decided.table)
    if cohort.matching:
        _save_matching(cohort.matching, folder)
    cohort.table1.save(folder)
    write_json(folder / "cohort.json", _summary(cohort))


def _save(path: Path, table: pd.DataFrame) -> None:
    text = table.copy()
    for name in text.select_dtypes("boolean").columns:
        text[name] = text[name].astype("Int8")  # 0 and 1, as the tables that come in
    numbers = text.select_dtypes("float").columns
    text[numbers] = text[numbers].round(4)
    rows = [{str(name): value for name, value in row.items()} for row in text.to_dict("records")]
    write_table(path, rows, list(text.columns))


def _save_matching(matching: Matching, folder: Path) -> None:
    pairs = [{"ht": ht, "no_ht": no_ht} for ht, no_ht in matching.pairs]
    write_table(folder / "pairs.tsv", pairs, ["ht", "no_ht"])
    unmatched: Iterable[tuple[str, int]] = (
        *((name, 1) for name in matching.unmatched_ht),
        *((name, 0) for name in matching.unmatched_non_ht),
    )
    unknown = set(matching.unknown)
    rows = [
        {
            "participant_id": name,
            "label": label,
            "reason": "age or sex not known" if name in unknown else "no partner left",
        }
        for name, label in unmatched
    ]
    write_table(folder / "unmatched.tsv", rows, ["participant_id", "label", "reason"])
    balance = [
        {"variable": name, "before": round(before, 4), "after": round(matching.after[name], 4)}
        for name, before in matching.before.items()
        if name in matching.after
    ]
    write_table(folder / "balance.tsv", balance, ["variable", "before", "after"])


def _summary(cohort: Cohort) -> dict[str, Any]:
    labels = cohort.labels
    staining = detection_may_be_staining(cohort.tables)
    doubtful = cohort.tables.labels.loc[staining, "participant_id"].isin(set(labels))
    outcomes = {
        name: {
            "yes": int(cohort.symptomatic[name].fillna(False).sum()),
            "not_known": int(cohort.symptomatic[name].isna().sum()),
        }
        for name in DEFINITIONS
    }
    return {
        "schema_version": 1,
        "simulated": cohort.simulated,
        "patients": len(labels),
        "ht": sum(labels.values()),
        "scans": len(cohort.scans),
        "scans_that_may_show_staining": int(cohort.scans["staining_possible"].fillna(False).sum()),
        "ht_that_may_be_staining": int(doubtful.sum()),
        "scan_times": _without_nan(asdict(cohort.eligible.times)),
        "symptomatic": outcomes,
        "agreement": _agreement(cohort.decided),
        "pairs": len(cohort.matching.pairs) if cohort.matching else None,
        "settings": cohort.settings,
    }


def _agreement(decided: Decided | None) -> dict[str, Any] | None:
    if decided is None:
        return None
    return {
        "to_committee": decided.n_disagreed,
        "without_grade": len(decided.without_grade),
        "label": _without_nan(asdict(decided.on_label)),
        "grade": _without_nan(asdict(decided.on_grade)),
    }


def _without_nan(content: dict[str, Any]) -> dict[str, Any]:
    """Put null where a number is not defined: JSON has no nan."""
    return {
        name: _without_nan(value)
        if isinstance(value, dict)
        else None
        if isinstance(value, float) and not math.isfinite(value)
        else value
        for name, value in content.items()
    }
