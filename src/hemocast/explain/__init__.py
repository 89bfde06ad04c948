"""Where in the picture a model's answer comes from, and whether such a map can be believed.

Maps are float32 on the stack's grid, positive where the picture speaks for HT: of `explain` in
log-odds per cm3, of the single methods in logit units (their mean is what the picture adds).
`hemocast.explain.measures` says how much of a map lies where it should, `hemocast.explain.trust`
whether it shows what the model uses.
"""

from hemocast.explain.measures import Evidence, agreement, evidence_on
from hemocast.explain.methods import METHODS, Method, explain, method_of
from hemocast.explain.occlusion import neutral, occlusion
from hemocast.explain.trust import Curves, deletion_and_insertion, randomised

__all__ = [
    "METHODS",
    "Curves",
    "Evidence",
    "Method",
    "agreement",
    "deletion_and_insertion",
    "evidence_on",
    "explain",
    "method_of",
    "neutral",
    "occlusion",
    "randomised",
]
