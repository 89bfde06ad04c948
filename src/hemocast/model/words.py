"""What a description says of its model, in sentences.

One source of the card in the model's folder, of a study's methods, and of the model card that is
filled from them.
"""

from __future__ import annotations

from hemocast.model.heatmap import ONE_FOR_ALL, PER_FRAME, PER_VOXEL
from hemocast.model.prediction import HEATMAP_UNIT
from hemocast.model.schema import Description
from hemocast.nets import NetworkFacts

VIEWS = {
    "histogram": "a histogram of the brain's grey values and of how its sides differ",
    "voxels": "coarse voxels of the brain",
    "map": "a co-registered map, by coarse voxels",
    "signs": "signs measured on the scan",
    "record": "the clinical record",
    "nihss": "the NIHSS",
}
"""What a model from measurements is told, by its views."""


def purpose(says: Description) -> str:
    """Say what the model gives, and what it is not."""
    return (
        f"The model {says.name} (version {says.version}) gives the probability of hemorrhagic "
        "transformation (HT) after an acute ischemic stroke from a plain (non-contrast) head CT "
        "taken before any bleeding. It is for research; it is no medical device, and nothing it "
        "says may guide treatment."
    )


def inputs(says: Description) -> str:
    """Say what the model is told."""
    views = [VIEWS[view] for part in (says.measured, says.joined) if part for view in part.views]
    if not says.measured:
        views.insert(0, "the frames of the scan")
    return f"The model is told {' and '.join(views)}; nothing else."


def preparation(says: Description) -> str:
    """Say how a scan becomes frames."""
    made = says.prepare
    return (
        "Every scan was resampled and the head set upright, the brain alone was kept, and "
        f"{made.frames} frames of {made.frame_mm:g} mm with {made.size} x {made.size} pixels of "
        f"{made.pixel_mm:g} mm were cut from it; {made.window_low:g} to {made.window_high:g} HU "
        "became 0 to 1."
    )


def training_data(says: Description) -> str:
    """Say of whose scans the model learned, and by which simulator they were made."""
    facts = says.training
    kind = "scans of patients"
    if says.simulated_training_data:
        kind = f"simulated scans (simulator version {says.simulator or 1})"
    share = f"{100 * facts.prevalence:.1f} % of them with HT"
    if facts.n_scans is None:
        return (
            f"It learned from {kind} of {facts.n_hospitals} hospitals that gave none of them away: "
            f"{facts.n_patients:,} patients, {share} (SHA-256 of the hospitals' signed receipts: "
            f"{facts.data_hash})."
        )
    return (
        f"It learned from {facts.n_scans:,} {kind}, of {facts.n_patients:,} patients, "
        f"{share} (SHA-256 of pictures, patients and labels: {facts.data_hash})."
    )


def network(says: Description, facts: NetworkFacts | None) -> str:
    """Say what kind of model it is.

    Parameters
    ----------
    says : Description
    facts : NetworkFacts or None
        Of its network; None for a model from measurements.
    """
    if says.measured:
        beside = ", the weights of voxels in weights.safetensors" * ("voxels" in says.net.name)
        return (
            f"The model is {says.net.name}, one from measurements; all its numbers stand in "
            f"model.yaml{beside}. It is a single model, no ensemble."
        )
    parts = [f"The model is the network {says.net.name}{_made(facts) if facts else ''}."]
    if says.joined:
        parts.append(
            "The clinical record enters its last layer, fitted together (`joined` in model.yaml)."
        )
    if facts and facts.changed:
        parts.append("It was changed since it was built: it is not as its settings build it.")
    return " ".join([*parts, "It is a single model, no ensemble."])


def _made(facts: NetworkFacts) -> str:
    package = " ".join(filter(None, (facts.distribution, facts.distribution_version)))
    return (
        f" (`{facts.made}`{' of ' * bool(package)}{package}) with {facts.parameters:,} learned "
        f"numbers in {len(facts.layers)} layers, listed in model.yaml"
    )


def missing(says: Description) -> str:
    """Say what is done where clinical values are missing; "" of a model that is told none."""
    if not (says.measured or says.joined):
        return ""
    return (
        "A missing value takes the mean of the patients learned from and, where ten or more of "
        "them lacked it, a weight for lacking it (trees learn where a gap goes); models of the "
        "record alone were fitted on five imputations. Every prediction says what was missing, and "
        "a patient of whom nothing is known is refused unless the model sees the scan too."
    )


def calibration(says: Description) -> str:
    """Say how the logit became a probability, and what the interval is."""
    told = says.calibration
    if says.recalibrated:
        whose = "of the place that it was recalibrated for"
    elif says.measured or told.n_patients == says.training.n_patients:
        whose = "each predicted out of fold; the numbers in the folder learned from all of them"
    elif says.training.refit:
        whose = (
            "who also picked the training epoch, so that it is a little optimistic; the network "
            "that gave those logits had not seen them, the one in the folder learned from them "
            "too, for as many epochs"
        )
    else:
        whose = "who also picked the training epoch, so that it is a little optimistic"
    apart = says.training.n_hospitals is not None and not says.recalibrated
    scans = "the scans" if apart else f"{told.n_scans:,} scans"
    return (
        f"The logit became a probability by {'an isotonic' if told.curve else 'a logistic'} curve "
        f"fitted on {scans} of {told.n_patients:,} patients, {whose}; "
        f"{100 * told.assumed:.1f} % of them had HT. The 95 % interval given with a probability is "
        "that of this curve, of the mean risk of all patients with this score; a patient's own "
        "risk mostly lies outside."
    )


def label_sets(says: Description) -> str:
    """Say how sets of labels were made; "" where there are none."""
    if (sets := says.calibration.label_sets) is None:
        return ""
    return (
        f"Label sets were made so that {100 * sets.level:.0f} % of the patients of each class get "
        f"one that holds their outcome (split conformal, on {sets.n_with} patients with HT and "
        f"{sets.n_without} without)."
    )


def threshold(says: Description) -> str:
    """Say where the model calls HT likely."""
    told = says.calibration
    rule = (
        "the prevalence among those patients (for calibrated probabilities Youden's index is "
        "greatest there)"
        if told.sensitivity is None
        else f"chosen for a sensitivity of {100 * told.sensitivity:.0f} %"
    )
    return f"The threshold in its folder is {told.threshold:.3f}, {rule}."


def unlike(says: Description) -> str:
    """Say how a scan unlike the training scans is told."""
    if (gate := says.gate) is None:
        return (
            "A scan unlike the training scans is told by brightness, spread and extent of the "
            "brain alone, and gets its probability with a flag."
        )
    return (
        f"A scan unlike the training scans is told by {len(gate.features)} measurements, learned "
        f"from {gate.n_scans} of them, and gets its probability with a flag; so does about one in "
        "a hundred that are like them."
    )


def heatmap(says: Description, facts: NetworkFacts | None) -> str:
    """Say what its heatmap is; "" where it has none.

    Parameters
    ----------
    says, facts
        As for `network`.
    """
    if says.measured and "voxels" not in says.measured.views:
        return ""
    kind = ONE_FOR_ALL if facts and not facts.grid.per_frame else PER_FRAME
    if says.measured:
        kind = PER_VOXEL
    return (
        f"Heatmap: {kind}, in {HEATMAP_UNIT}. It shows what moved the number, not where the brain "
        "is ill."
    )
