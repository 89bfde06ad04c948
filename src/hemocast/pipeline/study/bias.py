"""What in a study's records may bias its result, told without being asked.

The reasons are those of PROBAST+AI (Moons et al. 2025, 10.1136/bmj-2024-082505); 100 patients with
and 100 without the outcome are what an external evaluation asks for (Vergouwe et al. 2005,
10.1016/j.jclinepi.2004.06.017; Collins et al. 2016, 10.1002/sim.6787).
"""

from __future__ import annotations

from collections.abc import Iterator

from hemocast.pipeline.study.records import EvaluationRecord, ModelRecord, Records
from hemocast.report.checklists.checklist import Flag

ENOUGH = 100
"""Patients of each class."""
TOO_FEW = 10
CUT = (
    "accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "macro_f1", "balanced_accuracy",
    "mcc", "lr_positive", "lr_negative", "auc_one_point",
)  # fmt: skip
"""Metrics of yes and no, which depend on the threshold."""
LEARNED = ("train", "validation")


def flags_of(records: Records) -> tuple[Flag, ...]:
    """Find what may bias the result, the gravest first.

    Parameters
    ----------
    records : Records
        All that was read.
    """
    found = [*_simulated(records), *_leakage(records), *_development(records)]
    if records.evaluation:
        found += _evaluation(records.evaluation)
        found += _chosen_here(records, records.evaluation)
    order = ("high", "some", "not known")
    return tuple(sorted(found, key=lambda flag: order.index(flag.severity)))


def _simulated(records: Records) -> Iterator[Flag]:
    if records.simulated:
        yield Flag(
            "simulated", "high",
            "scans, outcomes or readers were simulated, or the model learned from such: nothing "
            "here is evidence about patients",
        )  # fmt: skip


def _leakage(records: Records) -> Iterator[Flag]:
    split = records.split
    if split is None:
        if records.evaluation:
            yield Flag(
                "leakage", "not known",
                "no split was given: whether evaluated patients were learned from was not looked "
                "at; name the dataset and the table of predictions",
            )  # fmt: skip
        return
    if split.overlap:
        yield Flag(
            "leakage", "high",
            f"{split.overlap} patient(s) of the split {split.name} are in more than one part",
        )  # fmt: skip
    if split.evaluated is None:
        if records.evaluation:
            yield Flag(
                "leakage", "not known",
                "no table of predictions was given: whether evaluated patients were learned from "
                "was not looked at",
            )  # fmt: skip
        return
    learned = sum(split.evaluated.get(part, 0) for part in LEARNED)
    if learned:
        yield Flag(
            "leakage", "high",
            f"{learned} of the evaluated patients are in the parts that the model learned from",
        )  # fmt: skip
    if split.evaluated.get("test", 0) and not split.evaluated["none"]:
        yield Flag(
            "internal-only", "some",
            "all evaluated patients are of the dataset that the model learned from: an internal "
            "evaluation, which says nothing about other hospitals",
        )  # fmt: skip


def _development(records: Records) -> Iterator[Flag]:
    if records.model is None:
        return
    facts = records.model.training
    events = min(
        round(facts.prevalence * facts.n_patients), round((1 - facts.prevalence) * facts.n_patients)
    )
    if events < ENOUGH:
        yield Flag(
            "few-events-development", "high" if events < TOO_FEW else "some",
            f"the model learned from {events} patients of the rarer class; whether that is enough "
            "depends on what it fits ('hemocast plan develop')",
        )  # fmt: skip


def _evaluation(record: EvaluationRecord) -> Iterator[Flag]:
    for name, model in record.models.items():
        rarer = min(model.n_patients_positive, model.n_patients - model.n_patients_positive)
        if rarer < ENOUGH:
            yield Flag(
                "few-events", "high" if rarer < TOO_FEW else "some",
                f"{name} was evaluated on {rarer} patients of the rarer class; {ENOUGH} of each "
                "are asked for",
            )  # fmt: skip
        if missing := _uncalibrated(model):
            yield Flag("no-calibration", "high", f"calibration of {name} is not known: {missing}")
    for note in record.left_out:
        yield Flag("left-out", "some", note)


def _uncalibrated(model: ModelRecord) -> str:
    """Say why there is no calibration; "" where there is."""
    reason = model.calibration.get("reason")
    if isinstance(reason, str):
        return reason
    slope = model.calibrated.get("calibration_slope")
    if slope is None or slope.value is None:
        return (slope.warning if slope else "") or "the record holds no calibration slope"
    return ""


def _chosen_here(records: Records, record: EvaluationRecord) -> Iterator[Flag]:
    """Find what was chosen with the labels that the result is measured by."""
    if record.primary in CUT:
        yield Flag(
            "dichotomised", "some",
            f"the primary endpoint, {record.primary.replace('_', ' ')}, judges yes and no at one "
            "threshold: risks are cut in two, and models tuned for it need not be calibrated",
        )  # fmt: skip
    for name, model in record.models.items():
        if model.threshold_source == "prevalence":
            yield Flag(
                "chosen-here", "some",
                f"the threshold of {name} is the share with HT among the evaluated scans: chosen "
                "with the labels that it is judged by",
            )  # fmt: skip
        if _calibrated_here(records, name, model):
            yield Flag(
                "chosen-here", "high",
                f"{name} was recalibrated on as many scans and patients as it is evaluated on "
                "here, probably on these: the external labels chose its calibration",
            )  # fmt: skip
    if len(record.models) > 1 and record.primary is None:
        yield Flag(
            "chosen-here", "some",
            f"{len(record.models)} models are compared and no primary endpoint was named before: "
            "the best of them is flattered",
        )  # fmt: skip


def _calibrated_here(records: Records, name: str, model: ModelRecord) -> bool:
    says = records.model
    if says is None or says.recalibrated is None or name not in (says.name, "model"):
        return False
    return (says.calibration.n_scans, says.calibration.n_patients) == (model.n, model.n_patients)
