"""Named cohorts."""

from __future__ import annotations

from hemocast.config import SimulateConfig

DEMO = SimulateConfig(
    n_ht=70,
    n_non=70,
    prevalence=0.3,
    image_strength=3.8,
    clinical_strength=0.4,
    visibility=2.0,
    volume_sigma=1.5,
    matrix=256,
)
"""140 patients whose outcome depends mostly on what the scan shows, and shows plainly: chosen so
that a small network can learn it from a hundred scans in minutes. Far easier than practice."""

TINY = DEMO.model_copy(update={"n_ht": 4, "n_non": 4, "matrix": 128})
"""A handful of patients, for trials."""

PAPER = SimulateConfig()
"""As many patients and scans, and of each outcome, as the paper."""

PRESETS = {"demo": DEMO, "paper": PAPER, "tiny": TINY}
