"""What came out of a study, in sentences that its records fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev

from hemocast.pipeline.study.records import Records
from hemocast.pipeline.study.words import (
    Say,
    cell_value,
    cell_words,
    estimate_words,
    listed,
    models_of,
    plural,
    said,
    share,
    title_of,
)
from hemocast.report.checklists.checklist import Flag, Statement
from hemocast.report.words import sentence

_SHOWN = ("auc", "sensitivity", "specificity", "ppv", "npv", "accuracy", "f1", "brier")


def results_of(records: Records, flags: Sequence[Flag]) -> tuple[Statement, ...]:
    """Say what came out, and what may bias it."""
    doubts = " ".join(sentence(flag.text) for flag in flags)
    known = tuple(said(_RESULTS, records))
    return (*known, Statement("doubts", "What may bias the results", doubts)) if doubts else known


def _size(records: Records) -> str:
    parts = []
    if says := records.model:
        facts = says.training
        scans = "scans" if facts.n_scans is None else plural(facts.n_scans, "scan")
        parts.append(
            f"{says.name} learned from {scans} of "
            f"{plural(facts.n_patients, 'patient')}, "
            f"{share(round(facts.prevalence * facts.n_patients), facts.n_patients)} with HT."
        )
    parts += [
        f"{name} was evaluated on {plural(one.n, 'scan')} of "
        f"{plural(one.n_patients, 'patient')}, {share(one.n_patients_positive, one.n_patients)} "
        "of them with HT."
        for name, one in models_of(records)
    ]
    return " ".join(parts)


def _flow(records: Records) -> str:
    parts = []
    if facts := records.dataset:
        parts.append(
            f"Of {plural(facts.patients, 'patient')} in the dataset {facts.labelled:,} have a "
            f"label, {facts.positive:,} HT; {plural(facts.refused, 'study', 'studies')} had been "
            "refused before."
        )
    if records.evaluation:
        parts.append(_size(Records(evaluation=records.evaluation)))
        parts += map(sentence, records.evaluation.left_out)
    return " ".join(parts)


def _characteristics(records: Records) -> str:
    facts = records.dataset
    if facts is None or not (facts.ages or facts.counts):
        return ""
    parts = []
    if len(facts.ages) > 1:
        parts.append(f"Age {mean(facts.ages):.1f} years (SD {stdev(facts.ages):.1f}).")
    words = {"sex": "Sex", "treatment": "Treatment", "site": "Site"}
    parts += [f"{title}: {listed(facts.counts[k])}." for k, title in words.items()
              if k in facts.counts]  # fmt: skip
    return " ".join(parts)


def _difference(records: Records) -> str:
    says, models = records.model, models_of(records)
    if says is None or not models:
        return ""
    facts = says.training
    return (
        f"Learned from: {facts.n_patients:,} patients, {100 * facts.prevalence:.1f} % with HT. "
        + " ".join(
            f"Evaluated ({name}): {one.n_patients:,} patients, "
            f"{100 * one.n_patients_positive / one.n_patients:.1f} % with HT."
            for name, one in models
        )
    )


def _external(records: Records) -> str:
    told = records.split.evaluated if records.split else None
    if told is None or not told["none"]:
        return ""
    return (
        f"{told['none']:,} of the {sum(told.values()):,} evaluated patients are not in the dataset "
        "that the model learned from."
    )


def _performance(records: Records) -> str:
    return " ".join(
        f"{name}: "
        + ", ".join(
            f"{title_of(metric)} {estimate_words(model.metrics[metric])}"
            for metric in _SHOWN
            if metric in model.metrics
        )
        + "."
        for name, model in models_of(records)
    )


def _calibrated(records: Records) -> str:
    shown = ("observed_expected", "calibration_in_the_large", "calibration_slope", "ici")
    parts = []
    for name, model in models_of(records):
        known = model.calibrated
        words = [f"{title_of(k)} {estimate_words(known[k])}" for k in shown if k in known]
        if words:
            parts.append(f"{name}: {', '.join(words)}.")
    return " ".join(parts)


def _cells(records: Records) -> str:
    return " ".join(
        f"{name}, at {model.threshold:.3g}: {model.confusion.tp} true and {model.confusion.fp} "
        f"false positive, {model.confusion.tn} true and {model.confusion.fn} false negative scans."
        for name, model in models_of(records)
    )


def _subgroups(records: Records) -> str:
    rows = [row for row in records.tables.get("subgroups", ()) if row["metric"] == "auc"]
    if not rows:
        return ""
    return f"AUC by group: {'; '.join(map(_group_words, rows[:40]))}. All are in subgroups.csv."


def _group_words(row: Mapping[str, str]) -> str:
    return f"{row['grouping']} {row['level']} {cell_words(row)}"


def _unjudged(records: Records) -> str:
    """Say how many scans each model could not be judged on, and between what its AUC may lie."""
    parts = []
    for name, _ in models_of(records):
        out = [row for row in records.tables.get("left_out", ()) if row["model"] == name]
        areas = [
            cell_value(row["value"])
            for row in records.tables.get("scenarios", ())
            if row["model"] == name and row["metric"] == "auc" and row["value"]
        ]
        if out:
            lost = sum(int(cell_value(row["n_scans"])) for row in out)
            parts.append(f"{name} could not be judged on {plural(lost, 'scan')}.")
        if areas:
            parts.append(
                f"Under the assumptions made about them its AUC lies between {min(areas):.3f} and "
                f"{max(areas):.3f}."
            )
    return " ".join(parts)


def _sites(records: Records) -> str:
    return " ".join(
        f"{row['model']}, {title_of(row['metric'])} over {row['n_sites']} sites: {cell_words(row)}."
        for row in records.tables.get("pooled_sites", ())
        if row["value"] and row["ci_low"]
    )


def _updating(records: Records) -> str:
    says = records.model
    if says is None:
        return ""
    if says.recalibrated is None:
        return "The model was not changed: it is evaluated as it was trained."
    told = says.calibration
    return (
        f"The calibration was {says.recalibrated.value} on {plural(told.n_scans, 'scan')} of "
        f"{plural(told.n_patients, 'patient')} of another place (a closed test, Vergouwe et al. "
        "2017); the network stayed as it was."
    )


def _specification(records: Records) -> str:
    says = records.model
    if says is None:
        return ""
    files = ", ".join(f"{name} {digest[:12]}" for name, digest in sorted(says.files.items()))
    return (
        f"{says.name} {says.version} is a folder: model.yaml {records.model_hash[:12]}, {files} "
        "(SHA-256, first digits). With it 'hemocast predict --model' computes every probability."
    )


_RESULTS: dict[str, tuple[str, Say]] = {
    "flow": ("Patients and scans", _flow),
    "characteristics": ("Who they were", _characteristics),
    "size": ("Numbers in every analysis", _size),
    "difference": ("Development beside evaluation", _difference),
    "external": ("Patients from elsewhere", _external),
    "performance": ("Performance", _performance),
    "calibrated": ("Calibration", _calibrated),
    "cells": ("Confusion matrix", _cells),
    "subgroups": ("In subgroups", _subgroups),
    "unjudged": ("Scans left out, and what they could change", _unjudged),
    "sites": ("Over sites", _sites),
    "updating": ("Changes of the model", _updating),
    "specification": ("The model itself", _specification),
}
