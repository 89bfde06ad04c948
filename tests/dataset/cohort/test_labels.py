"""Two reviewers, a committee of three, and how well the reviewers agree."""

from __future__ import annotations

import pytest

from hemocast.dataset.cohort.labels import apply_reviews, decide_labels
from hemocast.errors import TableError


def _review(person: str, who: str, label: int, grade: str = "n/a", role: str = "") -> dict:
    role = role or ("committee" if who.startswith("c") else "reviewer")
    row = {"participant_id": f"sub-{person}", "reviewer_id": who, "role": role}
    return row | {"label": label, "ht_grade": grade}


def _votes(person: str, *votes: tuple[int, str]) -> list[dict]:
    return [_review(person, f"c{i}", *vote) for i, vote in enumerate(votes)]


REVIEWS = [
    _review("agree", "r1", 1, "HI2"),
    _review("agree", "r2", 1, "HI2"),
    _review("neither", "r1", 0),
    _review("neither", "r2", 0, "none"),
    _review("label", "r1", 1, "HI1"),
    _review("label", "r2", 0),
    *_votes("label", (0, "n/a"), (1, "HI1"), (0, "none")),
    _review("grade", "r2", 1, "PH2"),
    _review("grade", "r1", 1, "PH1"),
    *_votes("grade", (1, "PH1"), (1, "PH2"), (1, "PH2")),
    _review("split", "r1", 1, "HI1"),
    _review("split", "r2", 1, "HI2"),
    *_votes("split", (1, "HI1"), (1, "HI2"), (1, "PH1")),
]


def test_agreement_stands_and_the_majority_decides_the_rest(tables_of) -> None:
    decided = decide_labels(tables_of(reviews=REVIEWS).reviews)
    table = decided.table.set_index("participant_id")
    assert table["label"].to_dict() == {
        "sub-agree": True,
        "sub-neither": False,
        "sub-label": False,
        "sub-grade": True,
        "sub-split": True,
    }
    assert table.loc["sub-agree", "decided_by"] == "agreement"
    assert table.loc["sub-label", "decided_by"] == "committee"
    assert table.loc["sub-grade", "ht_grade"] == "PH2"
    assert table.loc["sub-label", "ht_grade"] == "none"
    assert decided.n_disagreed == 3
    assert decided.without_grade == ("sub-split",), "three grades have no majority"


def test_who_lacks_reviewers_or_a_committee_is_named_by_row(tables_of) -> None:
    alone = [_review("a", "r1", 1), _review("b", "r1", 1), _review("b", "r2", 1)]
    with pytest.raises(TableError, match=r"reviews.tsv, row 2, .*exactly 2 rows"):
        decide_labels(tables_of(reviews=alone).reviews)
    only_committee = [_review("b", "r1", 1), _review("b", "r2", 1), *_votes("a", (1, "n/a"))]
    with pytest.raises(TableError, match="row 4"):
        decide_labels(tables_of(reviews=only_committee).reviews)
    apart = [_review("a", "r1", 1), _review("a", "r2", 0), *_votes("a", (1, "n/a"), (1, "n/a"))]
    with pytest.raises(TableError, match="3 rows with role committee"):
        decide_labels(tables_of(reviews=apart).reviews)


def test_reviews_fill_labels_and_may_not_contradict_them(tables_of) -> None:
    labels = [{"participant_id": f"sub-{name}", "label": "n/a"} for name in ("agree", "grade")]
    labels.append({"participant_id": "sub-other", "label": 1})
    tables, _ = apply_reviews(tables_of(reviews=REVIEWS, labels=labels))
    filled = tables.labels.set_index("participant_id")
    assert filled["label"].to_dict()["sub-agree"] is True
    assert filled.loc["sub-grade", "ht_grade"] == "PH2"
    assert bool(filled.loc["sub-other", "label"])
    assert not filled.loc["sub-neither", "label"], "a row made for who had none"
    labels[0]["label"] = 0
    with pytest.raises(TableError, match=r"labels.tsv, row 2, column label: what reviews.tsv"):
        apply_reviews(tables_of(reviews=REVIEWS, labels=labels))


def test_agreement_is_reported_for_label_and_grade(tables_of) -> None:
    """20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: kappa 0.40, by the textbook."""
    answers = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    reviews = []
    for i, (first, second) in enumerate(answers):
        reviews += [_review(f"{i}", "r1", first), _review(f"{i}", "r2", second)]
        if first != second:
            reviews += _votes(f"{i}", *[(1, "n/a")] * 3)
    decided = decide_labels(tables_of(reviews=reviews).reviews)
    assert decided.on_label.n == 50
    assert decided.on_label.percent is not None
    assert decided.on_label.percent.value == pytest.approx(0.7)
    assert decided.on_label.kappa is not None
    assert decided.on_label.kappa.value == pytest.approx(0.4)
    assert decided.on_grade.kappa is None, "nobody graded"
    graded = decide_labels(tables_of(reviews=REVIEWS).reviews)
    assert graded.on_grade.n == 5
    assert graded.on_grade.percent is not None
    assert graded.on_grade.percent.value == pytest.approx(2 / 5)


def test_one_participant_has_no_agreement_to_report(tables_of) -> None:
    decided = decide_labels(tables_of(reviews=REVIEWS[:2]).reviews)
    assert decided.on_label.n == 1
    assert decided.on_label.kappa is None
