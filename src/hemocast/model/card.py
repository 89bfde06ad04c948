"""``card.md``: what a reader of the model folder should know, in words."""

from __future__ import annotations

from hemocast.model.gate import Gate
from hemocast.model.heatmap import ONE_FOR_ALL, PER_FRAME
from hemocast.model.label_sets import LabelSets
from hemocast.model.prediction import HEATMAP_UNIT
from hemocast.model.schema import Description
from hemocast.nets import NetworkFacts

_TEXT = """\
# {name} {version}

**{notice}**

## What it does
It reads a plain (non-contrast) head CT taken after an acute ischemic stroke and before any bleeding
and gives the probability of hemorrhagic transformation.

- The probability is of: {horizon}
- In: {population}
- It is for research. It is not a medical device, and nothing it says may guide treatment.
- It has nothing to say about scans that already show blood, contrast scans, children, or other
  body parts; Hemocast refuses what it recognises of these.

## What it was trained on
{kind} scans: {training.n_scans} of {training.n_patients} patients, {prevalence:.0%} of them with
hemorrhagic transformation. SHA-256 of pictures, patients and labels:
`{training.data_hash}`

## How it works
- Input: {prepare.frames} frames of {prepare.frame_mm:g} mm, {prepare.size} x {prepare.size} pixels
  of {prepare.pixel_mm:g} mm, brain only, upright, window {prepare.window_low:g} to
  {prepare.window_high:g} HU.
- Network: {network}, {parameters:,} learned numbers.{joined}
- Heatmap: {heatmap}, in {unit}.
  It shows what moved the number, not where the brain is ill.
- Probability: {curve} calibration of the logit on {calibration.n_scans} scans of
  {calibration.n_patients} patients that also picked the training epoch, so it is
  a little optimistic{refit}. The interval given with a probability is that of the calibration
  curve, of the mean risk of all patients with this score; a patient's own risk mostly lies outside.
- Label sets: {sets}.
- Threshold: {calibration.threshold:.3f}, the prevalence among those patients (for calibrated
  probabilities Youden's index is greatest there). Where HT is rarer or more common, say how common
  with `--prevalence`; on patients of your own recalibrate with `hemocast recalibrate`.
- Scans unlike the training scans: {gate}.

## The network's layers
{layers}
"""


_JOINED = """
  The clinical record enters its last layer, fitted together: `joined` in `model.yaml`. A missing
  value takes the mean of the patients learned from, and a weight for lacking it where ten or more
  of them did; every prediction says what was missing."""
CARD_OF_CASES = """\
## Nearest cases
If `nearest_cases.safetensors` lies beside this card, the owner of the training data asked for it:
it holds the pseudonym, the outcome and the pooled features of each training scan, and the page of a
prediction names those most like its scan. Do not give such a folder away: `hemocast export` makes a
copy without that file, and a recalibrated model has none.
"""
_REFIT = """; the network that gave those logits had not seen these patients, the one
  in this folder learned from them too, for as many epochs"""


def card(description: Description, facts: NetworkFacts, notes: str) -> str:
    """Return the Markdown text of a model's card, with ``notes`` at its end."""
    text = _TEXT.format(
        name=description.name,
        version=description.version,
        notice=description.notice,
        horizon=description.horizon,
        population=description.population,
        kind=_kind(description),
        training=description.training,
        prevalence=description.training.prevalence,
        prepare=description.prepare,
        network=_network(description.net.name, facts),
        parameters=facts.parameters,
        joined=_JOINED if description.joined else "",
        layers="\n".join(f"- `{layer}`" for layer in facts.layers),
        unit=HEATMAP_UNIT,
        heatmap=PER_FRAME if facts.grid.per_frame else ONE_FOR_ALL,
        calibration=description.calibration,
        curve="isotonic" if description.calibration.curve else "logistic",
        sets=_sets(description.calibration.label_sets),
        gate=_gate(description.gate),
        refit=_REFIT if description.training.refit else "",
    )
    return f"{text}\n{notes.strip()}\n" if notes.strip() else text


_MEASURED = """\
# {name} {version}

**{notice}**

## What it does
It gives the probability of hemorrhagic transformation after an acute ischemic stroke from
{told}. It needs a plain (non-contrast) head CT taken before any bleeding.

- The probability is of: {horizon}
- In: {population}
- It is for research. It is not a medical device, and nothing it says may guide treatment.

## What it was trained on
{kind} scans: {training.n_scans} of {training.n_patients} patients, {prevalence:.0%} of them with
hemorrhagic transformation. SHA-256 of pictures, patients, labels and clinical values:
`{training.data_hash}`

## How it works
- Model: `{model}`; all its numbers stand in `model.yaml`{beside}.
- A value that is missing: when fitting, five imputations; when predicting, the mean of the patients
  learned from and, where ten or more of them lacked it, a weight for lacking it (trees learn where
  a gap goes). Every prediction says what was missing, and a patient of whom nothing is known is
  refused unless the model sees the scan too.
- Probability: {curve} calibration of the logit on {calibration.n_scans} scans of
  {calibration.n_patients} patients, each predicted out of fold; the numbers in this folder learned
  from all of them. The interval given with a probability is that of the calibration curve, of the
  mean risk of all patients with this score; a patient's own risk mostly lies outside.
- Label sets: {sets}.
- Threshold: {calibration.threshold:.3f}, the prevalence among those patients.
- Scans unlike the training scans: {gate}.
"""
TOLD = {
    "histogram": "a histogram of the brain's grey values and of how its sides differ",
    "voxels": "coarse voxels of the brain",
    "map": "a co-registered map, by coarse voxels",
    "signs": "signs measured on the scan",
    "record": "the clinical record",
    "nihss": "the NIHSS",
}
"""What a model from measurements is told, by its views."""


def card_of_measured(description: Description) -> str:
    """Return the Markdown text of the card of a model from measurements."""
    views = description.measured.views if description.measured else ()
    return _MEASURED.format(
        name=description.name,
        version=description.version,
        notice=description.notice,
        told=" and ".join(TOLD[view] for view in views),
        horizon=description.horizon,
        population=description.population,
        kind=_kind(description),
        training=description.training,
        prevalence=description.training.prevalence,
        model=description.net.name,
        beside=", the weights of voxels in `weights.safetensors`"
        if description.net.name == "voxels-svm"
        else "",
        calibration=description.calibration,
        curve="isotonic" if description.calibration.curve else "logistic",
        sets=_sets(description.calibration.label_sets),
        gate=_gate(description.gate),
    )


def _kind(description: Description) -> str:
    """Say whose scans the model learned from, and by which simulator."""
    if not description.simulated_training_data:
        return "Patients'"
    return f"Simulated (simulator version {description.simulator or 1})"


def _sets(sets: LabelSets | None) -> str:
    """Say how the sets of labels were made."""
    if sets is None:
        return "none"
    return (
        f"made so that {sets.level:.0%} of the patients of each class get one that holds their "
        f"outcome (split conformal, on {sets.n_with} patients with HT and {sets.n_without} without)"
    )


def _gate(gate: Gate | None) -> str:
    """Say how a scan unlike the training scans is told."""
    if gate is None:
        return "told by brightness, spread and extent of the brain alone"
    return (
        f"doubted by {len(gate.features)} measurements, learned from {gate.n_scans} of them; about "
        "one in a hundred that are like them is doubted too"
    )


def _network(name: str, facts: NetworkFacts) -> str:
    """Say what the network is; not by the settings' name alone, if it is no longer that."""
    package = " ".join(filter(None, (facts.distribution, facts.distribution_version)))
    origin = f"`{facts.made}`" + (f" of {package}" if package else "")
    if facts.changed:
        return f"{origin}, **changed since it was built** as `{name}`: see its layers"
    return f"`{name}`, {origin}"
