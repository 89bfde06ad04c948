import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hemocast.errors import StatisticsError
from hemocast.stats import (
    METRICS,
    Cases,
    Confusion,
    brier,
    classification_metrics,
    confusion,
)
from hemocast.stats.metrics import COUNT_METRICS, from_counts

# Scores on a coarse grid, so that ties are common.
scores = st.integers(0, 12).map(lambda value: value / 12)
cases = st.lists(st.tuples(st.booleans(), scores), min_size=2, max_size=40)


def split(rows: list[tuple[bool, float]]) -> tuple[np.ndarray, np.ndarray]:
    label = np.array([row[0] for row in rows])
    assume(label.any() and not label.all())
    return label, np.array([row[1] for row in rows])


def test_the_papers_equations_by_hand() -> None:
    # 29 TP, 12 FN, 16 TN, 4 FP: the best fit to the paper's printed figures with 61 scans.
    accuracy, sensitivity, ppv, specificity, f1, npv, balanced, macro = from_counts(29, 4, 16, 12)[
        :8
    ]
    assert accuracy == pytest.approx(45 / 61)
    assert sensitivity == pytest.approx(29 / 41)
    assert ppv == pytest.approx(29 / 33)
    assert specificity == pytest.approx(16 / 20)
    assert f1 == pytest.approx(2 * (29 / 33) * (29 / 41) / (29 / 33 + 29 / 41))
    assert npv == pytest.approx(16 / 28)
    assert balanced == pytest.approx((29 / 41 + 16 / 20) / 2)
    assert macro == pytest.approx((58 / 74 + 32 / 48) / 2)


def test_calling_everybody_positive_shows_f1_and_macro_f1_apart() -> None:
    # 40 of 62 with the outcome: the paper prints 39.22 beside F1s; it is the macro-F1.
    metrics = dict(zip(COUNT_METRICS, from_counts(40, 22, 0, 0), strict=True))
    assert metrics["f1"] == pytest.approx(0.7843, abs=1e-4)
    assert metrics["macro_f1"] == pytest.approx(0.3922, abs=1e-4)


@given(cases, scores)
def test_as_scikit_learn_gives_them(rows: list, threshold: float) -> None:
    label, score = split(rows)
    called = score >= threshold
    metrics = classification_metrics(Cases(label, score), threshold)
    cells = metrics.confusion
    assert sk.confusion_matrix(label, called).ravel().tolist() == [
        cells.tn, cells.fp, cells.fn, cells.tp,
    ]  # fmt: skip
    expected = {
        "accuracy": sk.accuracy_score(label, called),
        "sensitivity": sk.recall_score(label, called),
        "specificity": sk.recall_score(~label, ~called),
        "f1": sk.f1_score(label, called),
        "balanced_accuracy": sk.balanced_accuracy_score(label, called),
        "macro_f1": sk.f1_score(label, called, average="macro"),
        "brier": sk.brier_score_loss(label, score),
        "auc": sk.roc_auc_score(label, score),
    }
    for name, value in expected.items():
        assert metrics[name] == pytest.approx(value, abs=1e-12), name
    if called.any():
        assert metrics["ppv"] == pytest.approx(sk.precision_score(label, called))


@given(arrays(float, 12, elements=st.floats(0, 1)))
def test_a_score_at_the_threshold_counts_as_positive(score: np.ndarray) -> None:
    cells = confusion(Cases(np.ones(12), score), float(score[0]))
    assert cells.tp == int((score >= score[0]).sum()) >= 1
    assert cells.n == 12


def test_metrics_that_one_class_cannot_give_say_why() -> None:
    metrics = classification_metrics(Cases([0, 0, 0], [0.1, 0.2, 0.9]), 0.5)
    for name in ("sensitivity", "auc", "balanced_accuracy"):
        assert np.isnan(metrics[name])
        assert metrics.reason(name) == "no case has the outcome"
    assert metrics["specificity"] == pytest.approx(2 / 3)
    assert metrics.reason("specificity") is None
    everybody = classification_metrics(Cases([1, 1], [0.1, 0.2]), 0.5)
    assert everybody.reason("specificity") == "every case has the outcome"
    assert everybody.reason("ppv") == "no case was called positive"
    nobody = classification_metrics(Cases([1, 0], [0.7, 0.8]), 0.5)
    assert nobody.reason("npv") == "no case was called negative"


def test_every_nan_and_infinity_has_its_reason_and_nothing_else_has() -> None:
    for label in ([0, 0], [1, 1], [0, 1]):
        for score in ([0.1, 0.2], [0.8, 0.9], [0.1, 0.9], [0.9, 0.1]):
            metrics = classification_metrics(Cases(label, score), 0.5)
            for name in METRICS:
                assert np.isfinite(metrics[name]) == (metrics.reason(name) is None)


def test_thresholds_and_probabilities_must_be_fractions() -> None:
    with pytest.raises(StatisticsError, match="threshold"):
        classification_metrics(Cases([0, 1], [0.1, 0.9]), 50)
    with pytest.raises(StatisticsError, match="outside 0 to 1"):
        brier(Cases([0, 1], [0.1, 90]))


def test_cells_add_up() -> None:
    assert Confusion(1, 2, 3, 4).n == 10


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@given(cases, scores)
def test_mcc_ratios_and_average_precision_as_scikit_learn_gives_them(
    rows: list, threshold: float
) -> None:
    label, score = split(rows)
    called = score >= threshold
    metrics = classification_metrics(Cases(label, score), threshold)
    assert metrics["average_precision"] == pytest.approx(sk.average_precision_score(label, score))
    if called.any() and not called.all():
        assert metrics["mcc"] == pytest.approx(sk.matthews_corrcoef(label, called), abs=1e-12)
        ratios = sk.class_likelihood_ratios(label, called)
        for name, ratio in zip(("lr_positive", "lr_negative"), ratios, strict=True):
            if not np.isnan(ratio):
                assert metrics[name] == pytest.approx(ratio)
    share = label.mean()
    assert metrics["scaled_brier"] == pytest.approx(
        1 - metrics["brier"] / sk.brier_score_loss(label, np.full(label.size, share))
    )


@given(cases, scores)
def test_swapping_the_classes_swaps_the_metrics(rows: list, threshold: float) -> None:
    label, score = split(rows)
    called = (score >= threshold).astype(float)
    plain = classification_metrics(Cases(label, called), 0.5)
    swapped = classification_metrics(Cases(~label, 1 - called), 0.5)
    pairs = {"sensitivity": "specificity", "ppv": "npv", "accuracy": "accuracy", "auc": "auc",
             "macro_f1": "macro_f1", "mcc": "mcc", "brier": "brier"}  # fmt: skip
    for one, other in pairs.items():
        assert plain[one] == pytest.approx(swapped[other], nan_ok=True), one
    inverse = swapped["lr_negative"]
    if plain["lr_positive"] > 0 and np.isfinite(plain["lr_positive"]):
        assert inverse == pytest.approx(1 / plain["lr_positive"])


def test_the_papers_likelihood_ratios() -> None:
    values = dict(zip(COUNT_METRICS, from_counts(71.55, 19.71, 80.29, 28.45), strict=True))
    assert values["lr_positive"] == pytest.approx(3.63, abs=0.005)
    assert values["lr_negative"] == pytest.approx(0.354, abs=0.0005)
    assert from_counts(3, 0, 5, 2)[COUNT_METRICS.index("lr_positive")] == np.inf
