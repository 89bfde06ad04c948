"""How a study was done, in sentences that its records fill; nothing is said that none holds."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from hemocast.config import AUTO, TrainConfig
from hemocast.model import words
from hemocast.pipeline.study.dataset_facts import DatasetFacts
from hemocast.pipeline.study.records import Records
from hemocast.pipeline.study.words import (
    Say,
    groupings_of,
    listed,
    models_of,
    plural,
    said,
    title_of,
)
from hemocast.report.checklists.checklist import Statement
from hemocast.report.words import sentence
from hemocast.version import VERSION

LIBRARIES = ("numpy", "scipy", "onnxruntime", "torch")
_SOURCES = {
    "column": "as the table of predictions gives it",
    "option": "as given for the evaluation",
    "default": "taken by default",
    "prevalence": "the share with HT among the scans evaluated",
}


def methods_of(records: Records) -> tuple[Statement, ...]:
    """Say how the study was done, in the order of a paper's methods."""
    return tuple(said(_METHODS, records))


def _purpose(records: Records) -> str:
    says = records.model
    if says is None:
        return ""
    return f"{words.purpose(says)} {sentence(f'It is meant for: {says.population}')}"


def _outcome(records: Records) -> str:
    parts = []
    if records.model:
        parts.append(f"The outcome was: {records.model.horizon}.")
    if records.dataset:
        facts = records.dataset
        if grades := facts.counts.get("ht_grade"):
            parts.append(f"It was graded as {listed(grades)}.")
        if facts.reviewers:
            parts.append(f"Labels come from {plural(facts.reviewers, 'reviewer')} (reviews.tsv).")
    return " ".join(parts)


def _sources(records: Records) -> str:
    facts = records.dataset
    if facts is None:
        return ""
    made = f", made by {', '.join(facts.made_by)}" if facts.made_by else ""
    simulated = " All of it is SIMULATED: no patients." if facts.simulated else ""
    return (
        f"The dataset \u201c{facts.name}\u201d{made} holds "
        f"{plural(facts.scans, 'scan')} of {plural(facts.patients, 'patient')}.{simulated}"
    )


def _setting(records: Records) -> str:
    facts = records.dataset
    if facts is None:
        return ""
    words = {"site": "Sites", "manufacturer": "Scanners, by scans", "slice_mm": "Slices, mm"}
    return " ".join(
        f"{title}: {listed(facts.counts[key])}."
        for key, title in words.items()
        if key in facts.counts
    )


def _eligibility(records: Records) -> str:
    facts = records.dataset
    if facts is None or not _ours(facts):
        return ""
    return (
        "Only plain axial CT of a whole head was taken in: contrast, reconstructions for bone, "
        "gaps between slices, other body parts and misplaced heads are refused by rule, each with "
        f"a code. {plural(facts.refused, 'study', 'studies')} refused, "
        f"{plural(facts.left_out, 'series', 'series')} left out (quality/refused.tsv, "
        "quality/left_out.tsv)."
    )


def _ours(facts: DatasetFacts) -> bool:
    return any(maker.startswith("hemocast") for maker in facts.made_by)


def _identity(records: Records) -> str:
    if records.dataset is None or not _ours(records.dataset):
        return ""
    return (
        "Patients are named by a keyed hash; the key does not lie in the dataset, and neither its "
        "tables nor its files hold names or identifiers of the hospital."
    )


def _treatment(records: Records) -> str:
    given = records.dataset and records.dataset.counts.get("treatment")
    return f"Treatments, by patients: {listed(given)}." if given else ""


def _preparation(records: Records) -> str:
    if records.model is None:
        return ""
    return (
        f"{words.preparation(records.model)} One path of code prepares scans for training, "
        "evaluation and use."
    )


def _inputs(records: Records) -> str:
    return words.inputs(records.model) if records.model else ""


def _missing(records: Records) -> str:
    parts = []
    if (facts := records.dataset) and facts.missing:
        lacking = {name: count for name, count in facts.missing.items() if count}
        parts.append(
            f"Clinical values missing (or not applying), by patients: {listed(lacking)}."
            if lacking
            else "No clinical value is missing."
        )
    if (says := records.model) and (told := words.missing(says)):
        parts.append(told)
    if records.evaluation:
        parts += map(sentence, records.evaluation.left_out)
    return " ".join(parts)


def _split(records: Records) -> str:
    split = records.split
    if split is None:
        return ""
    parts = "; ".join(f"{part}: {_counts(told)}" for part, told in split.counts.items())
    drawn = f" (drawn with seed {split.seed})" if split.seed is not None else ""
    return (
        f"Patients, not scans, were divided by the split {split.name}{drawn}: {parts}. "
        f"{plural(split.overlap, 'patient')} in more than one part."
    )


def _counts(told: Mapping[str, int]) -> str:
    words = plural(told["patients"], "patient")
    if "scans" in told:
        words += f", {plural(told['scans'], 'scan')}"
    return words + (f", {told['ht']:,} with HT" if "ht" in told else "")


def _network(records: Records) -> str:
    says = records.model
    return words.network(says, says.network) if says else ""


def _training(records: Records) -> str:
    says, config = records.model, records.config
    if says is None:
        return ""
    if says.measured:
        return (
            "It was fitted on the patients of the training part; what had to be chosen, such as a "
            "penalty, was chosen by cross-validation among them."
        )
    if config is None:
        return ""
    told = config.train
    if told.encoder == AUTO:
        both = (
            "Two models were fitted, the network of the settings and the last layer of the encoder "
            "that comes with Hemocast; the one with the lower log loss on patients held out of "
            "both was kept."
        )
        encoded = says.net.name != config.net.name
        kept = _from_encoder(told, "own") if encoded else _from_labels(records)
        return f"{both} {kept}"
    if told.encoder:
        return _from_encoder(told, Path(told.encoder).name)
    return _from_labels(records)


def _from_encoder(told: TrainConfig, name: str) -> str:
    return (
        f"It starts from the encoder {name}, of which the last layer alone was fitted on the "
        f"training patients (seed {told.seed})."
    )


def _from_labels(records: Records) -> str:
    says, config = records.model, records.config
    if says is None or config is None:
        return ""
    told = config.train
    refit = (
        " For as many epochs the network was then trained anew on all of these patients."
        if says.training.refit
        else ""
    )
    return (
        f"From random weights (seed {told.seed}) it was trained by AdamW for at most {told.epochs} "
        f"epochs in batches of {told.batch_size} scans, learning rate at most "
        f"{told.learning_rate:g}, weight decay {told.weight_decay:g}, dropout "
        f"{config.net.dropout:g}, {'with' if told.augment else 'without'} augmentation, weights "
        f"averaged with decay {told.average:g}. The epoch with the lowest loss on "
        f"{100 * told.validation_fraction:g} % of the training patients was kept (patience "
        f"{told.patience}).{refit}"
    )


def _imbalance(records: Records) -> str:
    says, config = records.model, records.config
    if says is None or says.measured or config is None:
        return ""
    rarer = min(says.training.prevalence, 1 - says.training.prevalence)
    chosen = config.train.class_weights
    balanced = chosen == "balanced" or (chosen == "auto" and rarer < 0.25)
    if balanced:
        return (
            "Both classes counted alike in the loss (class weights); the probabilities were "
            "calibrated afterwards."
        )
    return "No method against unequal classes was used."


def _calibration(records: Records) -> str:
    says = records.model
    if says is None:
        return ""
    return " ".join(filter(None, (words.calibration(says), words.label_sets(says))))


def _output(records: Records) -> str:
    parts = []
    if says := records.model:
        parts.append(
            "The model gives a probability with the 95 % interval of its calibration curve. "
            f"{words.threshold(says)}"
        )
    for name, model in models_of(records):
        parts.append(
            f"{name} was called positive at or above {model.threshold:.3g}, "
            f"{_SOURCES.get(model.threshold_source, 'of unknown origin')}."
        )
    return " ".join(parts)


def _prediction(records: Records) -> str:
    says = records.model
    if says is None:
        return ""
    how = "from the numbers in model.yaml" if says.measured else "by ONNX Runtime from model.onnx"
    return (
        f"Predictions were computed {how} (model hash {records.model_hash[:12]}); every "
        "prediction.json keeps probability, threshold, flags, model hash and the hash of the scan."
    )


def _refusals(records: Records) -> str:
    if records.model is None:
        return ""
    return (
        "A scan that cannot be used (blood already, contrast, gaps, no whole brain) gets no "
        "probability but a refusal with its reason, and counts as not predicted. "
        f"{words.unlike(records.model)}"
    )


def _heatmap(records: Records) -> str:
    says = records.model
    if says is None or not (told := words.heatmap(says, says.network)):
        return ""
    return (
        f"{told} How far such maps show what a model uses is measured by 'hemocast explain' and "
        "stands in docs/explanation/heatmaps.md."
    )


def _endpoint(records: Records) -> str:
    record = records.evaluation
    if record is None or not record.primary:
        return ""
    return (
        "The primary endpoint, named before the numbers were seen, is: "
        f"{title_of(record.primary)}. All else is secondary."
    )


def _statistics(records: Records) -> str:
    record = records.evaluation
    if record is None:
        return ""
    kind = {"bca": "BCa", "percentile": "percentile"}.get(record.interval, "")
    judged = {"patient": "Every patient was judged once. ", "scan": "Every scan was judged. "}
    methods = sorted({
        value.ci_method
        for _, model in models_of(records)
        for value in model.metrics.values()
        if value.ci_method != "none"
    })  # fmt: skip
    return (
        f"{judged.get(record.level, '')}Discrimination (AUC, average precision), classification at "
        "the threshold, calibration (in the large, slope, loess curve with ICI, E50, E90, Emax), "
        "Brier score and net benefit were measured, with 95 % intervals: "
        f"{', '.join(methods)}. The {kind + ' ' if kind else ''}bootstrap drew patients with all "
        f"their scans {record.n_resamples:,} times (seed {record.seed})."
    )


def _comparisons(records: Records) -> str:
    record = records.evaluation
    if record is None or not record.comparisons:
        return ""
    ways = sorted({f"{title_of(str(row.get('metric')))} by {row.get('method')}"
                   for row in record.comparisons})  # fmt: skip
    return (
        f"Models were compared on the scans that both rated: {'; '.join(ways)}. P values are "
        "two-sided, and adjusted after Holm over the pairs."
    )


def _fairness(records: Records) -> str:
    if not (found := groupings_of(records)):
        return ""
    return (
        f"Performance was looked at by {', '.join(found)}; whether groups differ was tested by "
        "interaction tests of the AUC and of calibration, adjusted after Holm over the groupings."
    )


def _clusters(records: Records) -> str:
    if not records.tables.get("pooled_sites"):
        return ""
    return (
        "Sites were pooled by random effects (Paule and Mandel; Hartung and Knapp's modified "
        "interval), with the interval in which another such site may lie."
    )


def _robustness(records: Records) -> str:
    parts = []
    if rules := dict.fromkeys(row["rule"] for row in records.tables.get("thresholds", ())):
        parts.append(f"Thresholds looked at: {', '.join(rules)}.")
    if records.tables.get("prevalence"):
        parts.append("Predictive values were computed for other prevalences.")
    if found := groupings_of(records):
        parts.append(f"Results were looked at within groups of {', '.join(found)}.")
    return " ".join(parts)


def _readers(records: Records) -> str:
    rows = [row for row in records.tables.get("table2", ()) if row["kind"] == "reader"]
    if not rows:
        return ""
    names = dict.fromkeys(row["rater"] for row in rows)
    arms = dict.fromkeys(row["arm"] for row in rows if row["arm"])
    how = f" ({', '.join(arms)})" if arms else ""
    return (
        f"{plural(len(names), 'reader')} rated the same scans{how}. Agreement and tests of model "
        "against readers are in agreement.csv and reader_tests.csv."
    )


def _software(records: Records) -> str:
    versions = []
    for name in LIBRARIES:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    told = records.evaluation
    made = f"; the evaluation was made by {told.software}" if told else ""
    return (
        f"Hemocast {VERSION} (Apache-2.0), Python {platform.python_version()}, "
        f"{', '.join(versions)}{made}."
    )


_METHODS: dict[str, tuple[str, Say]] = {
    "purpose": ("What the model is for", _purpose),
    "sources": ("Sources of data", _sources),
    "setting": ("Setting and scanners", _setting),
    "eligibility": ("Who was taken in", _eligibility),
    "identity": ("Identities", _identity),
    "treatment": ("Treatment", _treatment),
    "outcome": ("Outcome", _outcome),
    "preparation": ("Preparation of scans", _preparation),
    "inputs": ("Predictors", _inputs),
    "missing": ("Missing values", _missing),
    "split": ("Division of patients", _split),
    "network": ("Model", _network),
    "training": ("Training", _training),
    "imbalance": ("Unequal classes", _imbalance),
    "calibration": ("Calibration of the model", _calibration),
    "output": ("Output and thresholds", _output),
    "prediction": ("How predictions are computed", _prediction),
    "refusals": ("Input that is not fit", _refusals),
    "heatmap": ("Heatmaps", _heatmap),
    "endpoint": ("Primary endpoint", _endpoint),
    "statistics": ("Statistics", _statistics),
    "comparisons": ("Comparison of models", _comparisons),
    "fairness": ("Subgroups", _fairness),
    "clusters": ("Sites", _clusters),
    "robustness": ("Robustness", _robustness),
    "readers": ("Readers", _readers),
    "software": ("Software", _software),
}
"""Key -> title, and who says it; in the order of the page."""
