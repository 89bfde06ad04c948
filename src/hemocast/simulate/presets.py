"""Named cohorts. The figures are the ceilings as `hemocast simulate` prints them."""

from __future__ import annotations

from hemocast.config import SimulateConfig, SiteConfig

PAPER = SimulateConfig()
"""As many patients and scans, and of each outcome, as the paper; every scan in 5 mm slices."""

DEMO = SimulateConfig(
    n_ht=70,
    n_non=70,
    prevalence=0.3,
    age_mean=62.5,
    thrombolysis_share=0.0,
    image_strength=3.0,
    clinical_strength=0.4,
    visibility=2.0,
    volume_sigma=1.5,
    matrix=256,
    motion_fraction=0.0,
)
"""140 patients whose outcome depends mostly on what the scan shows, and shows plainly: chosen so
that a small network can learn it from a hundred scans in minutes. Nobody comes so early that the
infarct is hardly to be seen. Far easier than practice."""

TINY = DEMO.model_copy(update={"n_ht": 4, "n_non": 4, "matrix": 128})
"""A handful of patients, for trials."""

_GE, _SIEMENS, _PHILIPS, _TOSHIBA = "GE MEDICAL SYSTEMS", "SIEMENS", "Philips", "TOSHIBA"

PRACTICE = SimulateConfig(
    n_ht=60,
    n_non=540,
    prevalence=0.1,
    age_mean=62.5,
    image_strength=1.0,
    clinical_strength=1.0,
    thrombectomy_share=0.15,
    sites=(
        SiteConfig(name="university", share=0.4, vendors=(_SIEMENS, _GE), thin_fraction=0.15,
                   mixed_fraction=0.1, tilt_fraction=0.1, volume_factor=1.5),
        SiteConfig(name="city", share=0.3, vendors=(_GE,), mixed_fraction=0.3, tilt_fraction=0.4,
                   noise_high_hu=4.5),
        SiteConfig(name="county", share=0.2, vendors=(_PHILIPS,), slice_mm=4.0, noise_low_hu=4.0,
                   noise_high_hu=6.0, motion_fraction=0.1, age_shift=6.0, volume_factor=0.8),
        SiteConfig(name="rural", share=0.1, vendors=(_TOSHIBA,), slice_mm=6.0, noise_low_hu=4.0,
                   noise_high_hu=6.0, tilt_fraction=0.6, motion_fraction=0.15, age_shift=9.0,
                   volume_factor=0.7),
    ),
)  # fmt: skip
"""600 patients of four hospitals with their own scanners and case mix, one in ten with HT, the odds
ratios as the literature has them: what a model would meet outside a study."""

WIDE = SimulateConfig(
    n_ht=500,
    n_non=500,
    scans_per_patient=1,
    prevalence=0.5,
    age_mean=62,
    age_sd=17,
    image_strength=0,
    clinical_strength=0,
    volume_median_ml=15,
    volume_sigma=1.6,
    noise_low_hu=1.5,
    noise_high_hu=8,
    thin_fraction=0.15,
    mixed_fraction=0.1,
)
"""For pre-training: more various heads, infarcts and scanners than patients have, one scan each.
The outcome hangs on nothing."""

PRESETS = {"demo": DEMO, "paper": PAPER, "practice": PRACTICE, "tiny": TINY, "wide": WIDE}


def resized(preset: SimulateConfig, seed: int, patients: int | None = None) -> SimulateConfig:
    """Return a preset with a seed and, if asked for, another number of patients.

    Parameters
    ----------
    preset : SimulateConfig
    seed : int
    patients : int, optional
        At least 2; the share of them with HT stays, with one of each kind at least.
    """
    changes = {"seed": seed}
    if patients is not None:
        share = preset.n_ht / (preset.n_ht + preset.n_non)
        n_ht = min(max(round(patients * share), 1), patients - 1)
        changes |= {"n_ht": n_ht, "n_non": patients - n_ht}
    return preset.model_copy(update=changes)
