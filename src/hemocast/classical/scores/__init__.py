"""Published clinical scores: points as data in ``tables/``, one file a score; one evaluator.

::

    from hemocast.classical.scores import all_scores, apply, facts_of

    hat = all_scores()["HAT"]
    found = apply(hat, facts_of({"glucose_mg_dl": 210, "nihss": 17, "hypodensity": "below_third"}))
    found.points, found.risk, [note.text for note in found.notes]
"""

from hemocast.classical.scores.apply import Fact, Note, PublishedRisk, Result, apply
from hemocast.classical.scores.definition import Score, all_scores, load_score
from hemocast.classical.scores.patients import Patient, facts_of, read_patients

__all__ = [
    "Fact", "Note", "Patient", "PublishedRisk", "Result", "Score", "all_scores", "apply",
    "facts_of", "load_score", "read_patients",
]  # fmt: skip
