"""``card.md``: what a reader of the model folder should know, in words."""

from __future__ import annotations

from hemocast.model import words
from hemocast.model.schema import Description
from hemocast.nets import NetworkFacts

CARD_OF_CASES = """\
## Nearest cases
If `nearest_cases.safetensors` lies beside this card, the owner of the training data asked for it:
it holds the pseudonym, the outcome and the pooled features of each training scan, and the page of a
prediction names those most like its scan. Do not give such a folder away: `hemocast export` makes a
copy without that file, and a recalibrated model has none.
"""


def card(description: Description, facts: NetworkFacts | None = None, notes: str = "") -> str:
    """Return the Markdown text of a model's card.

    Parameters
    ----------
    description : Description
        Of the model.
    facts : NetworkFacts, optional
        Of its network; none of a model from measurements.
    notes : str
        Markdown for its end.
    """
    says = description
    parts = [
        f"# {says.name} {says.version}",
        f"**{says.notice}**",
        "## What it does",
        words.purpose(says),
        _listed(
            f"The probability is of: {says.horizon}",
            f"In: {says.population}",
            "It has nothing to say about scans that already show blood, contrast scans, children, "
            "or other body parts; Hemocast refuses what it recognises of these.",
            "Where HT is rarer or more common, say how common with `--prevalence`; on patients of "
            "your own recalibrate with `hemocast recalibrate`.",
        ),
        "## What it was trained on",
        words.training_data(says),
        "## How it works",
        _listed(
            words.inputs(says),
            words.preparation(says),
            words.network(says, facts),
            words.missing(says),
            words.heatmap(says, facts),
            words.calibration(says),
            words.label_sets(says) or "Label sets: none.",
            words.threshold(says),
            words.unlike(says),
        ),
    ]
    if facts:
        parts += ["## The network's layers", "\n".join(f"- `{layer}`" for layer in facts.layers)]
    return "\n\n".join(filter(None, [*parts, notes.strip()])) + "\n"


def _listed(*texts: str) -> str:
    return "\n".join(f"- {text}" for text in texts if text)
