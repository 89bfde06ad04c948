"""Labels from reviewers: agreement, disagreement, committee.

The paper (Zhang 2026, 10.3389/fnins.2025.1753071) says that researchers decided from clinical and
imaging diagnoses and that disagreements went to a committee of three experts. How many researchers,
and how the committee decided, it does not say: two reviewers and a majority vote are our reading.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hemocast.dataset.tables.columns import Fault, refuse, rows_of
from hemocast.dataset.tables.schema import GRADES

if TYPE_CHECKING:
    import pandas as pd

    from hemocast.dataset.cohort.choose import Tables
    from hemocast.stats import Estimate

REVIEWERS = 2
COMMITTEE = 3


@dataclass(frozen=True)
class Agreement:
    """How far the two reviewers agree.

    Parameters
    ----------
    n : int
        Participants on whom both gave an answer.
    percent : Estimate or None
        Fraction on which the answers are the same; None with fewer than two participants.
    kappa : Estimate or None
        Cohen's kappa, unweighted, so that for grades HI1 against HI2 counts as HI1 against PH2.
    """

    n: int
    percent: Estimate | None
    kappa: Estimate | None


@dataclass(frozen=True)
class Decided:
    """What the reviewers and the committee decided.

    Parameters
    ----------
    table : DataFrame
        One row per participant: ``participant_id``, ``label`` (boolean), ``ht_grade``,
        ``decided_by`` (``agreement`` or ``committee``).
    n_disagreed : int
        Participants that went to the committee.
    without_grade : tuple of str
        Participants with HT on whose grade no two members of the committee agreed, or of whom it
        was given none: the label stands, the grade stays missing.
    on_label, on_grade : Agreement
        Of the two reviewers, on HT (yes, no) and on the grade (none, HI1, HI2, PH1, PH2).
    """

    table: pd.DataFrame
    n_disagreed: int
    without_grade: tuple[str, ...]
    on_label: Agreement
    on_grade: Agreement


def decide_labels(reviews: pd.DataFrame) -> Decided:
    """Make one label per participant from what the reviewers wrote.

    Two reviewers each; where both label and grade agree they stand. Otherwise the majority of the
    three members of the committee decides, the label and then, if it is HT, the grade.

    Parameters
    ----------
    reviews : DataFrame
        ``participant_id, reviewer_id, role, label, ht_grade`` as `read_tables` gives them.

    Raises
    ------
    TableError
        Participants without exactly two reviewers; or, where that is in order, who need a committee
        of three and have another number.
    """
    reviews = reviews.reset_index(drop=True)
    # No HT leaves nothing to grade, whether a reviewer wrote none or nothing.
    reviews["ht_grade"] = reviews["ht_grade"].where(reviews["label"].astype(bool), GRADES[0])
    first, second = _pair(reviews)
    same_label = first["label"] == second["label"]
    same_grade = (first["ht_grade"].fillna("") == second["ht_grade"].fillna("")).to_numpy()
    agreed = same_label & same_grade
    votes = _committee(reviews, set(first.index[~agreed]))
    table = first[["label", "ht_grade"]].copy()
    table["decided_by"] = np.where(agreed, "agreement", "committee")
    decided = votes.loc[table.index[~agreed]]
    table.loc[~agreed, "label"] = decided["label"].to_numpy()
    table.loc[~agreed, "ht_grade"] = decided["ht_grade"].to_numpy()
    table["label"] = table["label"].astype("boolean")
    ungraded = table.index[table["label"].astype(bool) & table["ht_grade"].isna()]
    return Decided(
        table.reset_index(),
        int((~agreed).sum()),
        tuple(ungraded),
        _agreement(first["label"].astype(int), second["label"].astype(int)),
        _on_grade(first, second),
    )


def _pair(reviews: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The two reviews of every participant, in the order of the reviewers' names."""
    given = reviews[reviews["role"] == "reviewer"].sort_values(["participant_id", "reviewer_id"])
    count = given.groupby("participant_id")["reviewer_id"].transform("size")
    bad = (count != REVIEWERS).reindex(reviews.index, fill_value=False)
    alone = ~reviews["participant_id"].isin(given["participant_id"])
    bad |= alone
    if bad.any():
        allowed = f"exactly {REVIEWERS} rows with role reviewer per participant"
        refuse((Fault("reviews", "participant_id", rows_of(bad), allowed),))
    given = given.set_index("participant_id")
    return given.iloc[::2], given.iloc[1::2]


def _committee(reviews: pd.DataFrame, needed: set[str]) -> pd.DataFrame:
    """Majority of the committee for those who need it."""
    import pandas as pd

    rows = reviews[(reviews["role"] == "committee") & reviews["participant_id"].isin(needed)]
    size = rows.groupby("participant_id").size().reindex(sorted(needed), fill_value=0)
    wrong = set(size.index[size != COMMITTEE])
    if wrong:
        allowed = f"{COMMITTEE} rows with role committee: the two reviewers disagree"
        bad = reviews["participant_id"].isin(wrong)
        refuse((Fault("reviews", "participant_id", rows_of(bad), allowed),))
    groups = rows.groupby("participant_id")
    label = groups["label"].sum().astype(int) * 2 > COMMITTEE
    grade = rows[rows["label"].astype(bool)].groupby("participant_id")["ht_grade"].agg(_majority)
    voted = pd.DataFrame({"label": label, "ht_grade": grade.reindex(label.index)})
    voted.loc[~voted["label"], "ht_grade"] = GRADES[0]
    return voted


def _majority(grades: pd.Series) -> str | None:
    counts = grades.value_counts()
    return str(counts.index[0]) if len(counts) and counts.iloc[0] * 2 > COMMITTEE else None


def _on_grade(first: pd.DataFrame, second: pd.DataFrame) -> Agreement:
    """Agreement on the grade; who is labelled no HT counts as grade none."""
    both = first["ht_grade"].notna() & second["ht_grade"].notna()
    if not (first["ht_grade"].isin(GRADES[1:]) | second["ht_grade"].isin(GRADES[1:])).any():
        return Agreement(0, None, None)  # a study that does not grade
    return _agreement(first.loc[both, "ht_grade"], second.loc[both, "ht_grade"])


def _agreement(first: pd.Series, second: pd.Series) -> Agreement:
    from hemocast.stats import cohen_kappa, percent_agreement

    if len(first) < 2:
        return Agreement(len(first), None, None)
    pair = first.to_numpy(dtype=str), second.to_numpy(dtype=str)
    return Agreement(len(first), percent_agreement(*pair), cohen_kappa(*pair))


def apply_reviews(tables: Tables) -> tuple[Tables, Decided]:
    """Fill labels and grades from the reviews.

    Parameters
    ----------
    tables : Tables
        With reviews. A participant without reviews keeps what ``labels.tsv`` says.

    Returns
    -------
    tables : Tables
        With ``labels`` filled.
    decided : Decided
        What was decided.

    Raises
    ------
    TableError
        As `decide_labels`; or ``labels.tsv`` holds a label that the reviews contradict.
    """
    decided = decide_labels(tables.reviews)
    made = decided.table.set_index("participant_id")
    labels = tables.labels.set_index("participant_id")
    labels = labels.reindex(labels.index.union(made.index, sort=False))
    label = made["label"].reindex(labels.index)
    contradicts = ((labels["label"] != label) & label.notna()).fillna(False)
    if contradicts.any():
        bad = tables.labels["participant_id"].isin(labels.index[contradicts.astype(bool)])
        allowed = "what reviews.tsv decides, or n/a"
        refuse((Fault("labels", "label", rows_of(bad), allowed),))
    labels["label"] = labels["label"].fillna(label)
    labels["ht_grade"] = labels["ht_grade"].fillna(made["ht_grade"].reindex(labels.index))
    return replace(tables, labels=labels.reset_index()), decided
