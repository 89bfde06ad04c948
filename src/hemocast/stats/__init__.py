"""Exact statistics of binary predictions; numpy and scipy only."""

from hemocast.stats.agreement import (
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    percent_agreement,
)
from hemocast.stats.calibration.measures import (
    Calibration,
    calibration_curve,
    measure_calibration,
)
from hemocast.stats.cases import Cases
from hemocast.stats.comparison import (
    Difference,
    McNemar,
    bootstrap_differences,
    holm,
    mcnemar_exact,
)
from hemocast.stats.decision import DecisionCurve, decision_curve
from hemocast.stats.discrimination.delong import (
    AucDifference,
    DelongResult,
    auc_interval,
    delong,
    delong_test,
)
from hemocast.stats.discrimination.roc import (
    ChosenThreshold,
    PrecisionRecall,
    RocBand,
    RocCurve,
    auc,
    average_precision,
    bootstrap_roc,
    choose_threshold,
    roc_curve,
)
from hemocast.stats.estimate import Estimate
from hemocast.stats.evaluation import Evaluation, evaluate, evaluate_raters
from hemocast.stats.incidence import CumulativeIncidence
from hemocast.stats.metrics import (
    MAIN_METRICS,
    METRICS,
    ClassificationMetrics,
    Confusion,
    brier,
    classification_metrics,
    confusion,
    scale_brier,
)
from hemocast.stats.mrmc.covariance import case_covariance
from hemocast.stats.mrmc.design import ReaderStudy, crossed_study
from hemocast.stats.mrmc.obuchowski_rockette import obuchowski_rockette
from hemocast.stats.mrmc.result import (
    Contrast,
    MeanAccuracy,
    Mrmc,
    TreatmentTest,
    VarianceComponents,
)
from hemocast.stats.mrmc.standalone import (
    AverageReader,
    Standalone,
    average_reader,
    compare_with_readers,
)
from hemocast.stats.planning.development import DevelopmentSize, cox_snell_from_c, development_size
from hemocast.stats.planning.noninferiority import (
    NonInferiority,
    noninferior_auc,
    noninferior_share,
    tango_limits,
)
from hemocast.stats.planning.power import (
    auc_cases,
    auc_difference_cases,
    auc_difference_power,
    hanley_mcneil_se,
    mrmc_cases,
    mrmc_power,
)
from hemocast.stats.planning.validation import (
    OperatingPoint,
    ValidationSize,
    Widths,
    logits_from_c,
    validation_size,
)
from hemocast.stats.prevalence import (
    PREVALENCES,
    PredictiveValues,
    predictive_values,
    predictive_values_at_prevalence,
)
from hemocast.stats.proportions import Interval, clopper_pearson, wilson
from hemocast.stats.resampling.weights import Resampling
from hemocast.stats.subgroups.analyse import (
    GroupVariable,
    Subgroup,
    SubgroupAnalysis,
    analyse_subgroups,
    bands,
    categories,
)
from hemocast.stats.subgroups.interaction import Interaction

__all__ = [
    "MAIN_METRICS", "METRICS", "PREVALENCES", "AucDifference", "AverageReader", "Calibration",
    "Cases", "ChosenThreshold", "ClassificationMetrics", "Confusion", "Contrast",
    "CumulativeIncidence", "DecisionCurve", "DelongResult", "DevelopmentSize", "Difference",
    "Estimate", "Evaluation", "GroupVariable", "Interaction", "Interval", "McNemar", "MeanAccuracy",
    "Mrmc", "NonInferiority", "OperatingPoint", "PrecisionRecall", "PredictiveValues",
    "ReaderStudy", "Resampling", "RocBand", "RocCurve", "Standalone", "Subgroup",
    "SubgroupAnalysis", "TreatmentTest", "ValidationSize", "VarianceComponents", "Widths",
    "analyse_subgroups", "auc", "auc_cases", "auc_difference_cases", "auc_difference_power",
    "auc_interval", "average_precision", "average_reader", "bands", "bootstrap_differences",
    "bootstrap_roc", "brier", "calibration_curve", "case_covariance", "categories",
    "choose_threshold", "classification_metrics", "clopper_pearson", "cohen_kappa",
    "compare_with_readers", "confusion", "cox_snell_from_c", "crossed_study", "decision_curve",
    "delong", "delong_test", "development_size", "evaluate", "evaluate_raters", "fleiss_kappa",
    "gwet_ac1", "hanley_mcneil_se", "holm", "logits_from_c", "mcnemar_exact", "measure_calibration",
    "mrmc_cases", "mrmc_power", "noninferior_auc", "noninferior_share", "obuchowski_rockette",
    "percent_agreement", "predictive_values", "predictive_values_at_prevalence", "roc_curve",
    "scale_brier", "tango_limits", "validation_size", "wilson",
]  # fmt: skip
