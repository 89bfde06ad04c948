"""From the tables to the cohort: labels, eligibility, matching, Table 1, and all that on disk."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hemocast import files
from hemocast.dataset.cohort.choose import Tables, read_tables
from hemocast.dataset.cohort.eligibility import EligibilityConfig, Eligible, select_scans
from hemocast.dataset.cohort.labels import Decided, apply_reviews
from hemocast.dataset.cohort.matching import MatchConfig, Matching, match_patients
from hemocast.dataset.cohort.symptomatic import DEFINITIONS, symptomatic
from hemocast.dataset.cohort.table1 import Table1, describe_patients, make_table1
from hemocast.dataset.cohort.treatment import detection_may_be_staining, hours_since_treatment
from hemocast.dataset.layout import Dataset
from hemocast.tables import MISSING

if TYPE_CHECKING:
    import pandas as pd

_KIND = "cohort"
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
    root: Path, eligibility: EligibilityConfig | None = None, match: MatchConfig | None = None
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


def check_out(folder: Path) -> None:
    """Refuse, before any work, a folder into which `save_cohort` would not write."""
    files.check_folder(folder, _KIND)


def save_cohort(cohort: Cohort, folder: Path) -> None:
    """Write the cohort into a new folder, or over what an earlier run left of another cohort.

    ``scans.tsv, excluded.tsv, flow.tsv, symptomatic.tsv``, with matching ``pairs.tsv``,
    ``unmatched.tsv`` and ``balance.tsv``, with reviews ``decisions.tsv``, ``table1.*``, and
    ``cohort.json``: counts, scan times, agreement, settings.

    Raises
    ------
    OutputExists
        The folder holds something else, or a file that somebody changed.
    NotWritable, InUse
        It cannot be written to, or another run does.
    """
    import pandas as pd

    since = hours_since_treatment(cohort.tables)
    tables = {
        "scans": cohort.scans.merge(since, on="scan_id", how="left"),
        "excluded": cohort.eligible.excluded,
        "symptomatic": cohort.symptomatic,
        "flow": pd.DataFrame([asdict(step) for step in cohort.eligible.flow]),
    }
    if cohort.decided:
        tables["decisions"] = cohort.decided.table
    if cohort.matching:
        tables |= _matching_tables(cohort.matching)
    texts = {f"{name}.tsv": _text(table) for name, table in tables.items()}
    made: dict[str, str | bytes] = {
        **texts,
        **cohort.table1.files(),
        "cohort.json": files.json_text(_summary(cohort)),
    }
    with files.claim(folder, _KIND) as output:
        output.write_all(made)


def _text(table: pd.DataFrame) -> str:
    rounded = table.copy()
    for name in rounded.select_dtypes("boolean").columns:
        rounded[name] = rounded[name].astype("Int8")  # 0 and 1, as the tables that come in
    numbers = rounded.select_dtypes("float").columns
    rounded[numbers] = rounded[numbers].round(4)
    known = rounded.astype(object).where(rounded.notna(), None)
    return files.table_text(
        known.to_dict("records"),  # type: ignore[arg-type]
        list(known.columns),
        separator="\t",
        missing=MISSING,
    )


def _matching_tables(matching: Matching) -> dict[str, pd.DataFrame]:
    import pandas as pd

    unknown = set(matching.unknown)
    unmatched = [
        (name, label, "age or sex not known" if name in unknown else "no partner left")
        for label, names in ((1, matching.unmatched_ht), (0, matching.unmatched_non_ht))
        for name in names
    ]
    balance = [
        (name, before, matching.after[name])
        for name, before in matching.before.items()
        if name in matching.after
    ]
    return {
        "pairs": pd.DataFrame(matching.pairs, columns=["ht", "no_ht"]),
        "unmatched": pd.DataFrame(unmatched, columns=["participant_id", "label", "reason"]),
        "balance": pd.DataFrame(balance, columns=["variable", "before", "after"]),
    }


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
