"""Exact statistics of binary predictions; numpy and scipy only."""

from hemocast.stats.agreement import cohen_kappa, fleiss_kappa, gwet_ac1, percent_agreement
from hemocast.stats.bootstrap import Bootstrap, bootstrap_metrics
from hemocast.stats.calibration import Calibration, measure_calibration
from hemocast.stats.classification import (
    METRICS,
    ClassificationMetrics,
    Confusion,
    brier,
    classification_metrics,
    confusion,
)
from hemocast.stats.comparison import McNemar, holm, mcnemar_exact
from hemocast.stats.decision import DecisionCurve, decision_curve
from hemocast.stats.delong import (
    AucDifference,
    DelongResult,
    auc_interval,
    delong,
    delong_test,
)
from hemocast.stats.estimate import Estimate
from hemocast.stats.evaluation import Evaluation, evaluate
from hemocast.stats.intervals import Interval, clopper_pearson, wilson
from hemocast.stats.roc import RocBand, RocCurve, auc, bootstrap_roc, roc_curve, youden_threshold

__all__ = [
    "METRICS",
    "AucDifference",
    "Bootstrap",
    "Calibration",
    "ClassificationMetrics",
    "Confusion",
    "DecisionCurve",
    "DelongResult",
    "Estimate",
    "Evaluation",
    "Interval",
    "McNemar",
    "RocBand",
    "RocCurve",
    "auc",
    "auc_interval",
    "bootstrap_metrics",
    "bootstrap_roc",
    "brier",
    "classification_metrics",
    "clopper_pearson",
    "cohen_kappa",
    "confusion",
    "decision_curve",
    "delong",
    "delong_test",
    "evaluate",
    "fleiss_kappa",
    "gwet_ac1",
    "holm",
    "mcnemar_exact",
    "measure_calibration",
    "percent_agreement",
    "roc_curve",
    "wilson",
    "youden_threshold",
]
