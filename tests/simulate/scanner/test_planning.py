from __future__ import annotations

import numpy as np
import pytest

from hemocast.config import SimulateConfig, SiteConfig
from hemocast.errors import ConfigError
from hemocast.simulate.scanner.planning import draw_protocol, vendors_of
from hemocast.simulate.scanner.vendors import VENDORS


def test_a_site_scans_with_its_own_scanners_and_settings():
    site = SiteConfig(
        name="a", vendors=("Philips",), slice_mm=4, thin_fraction=0.5, mixed_fraction=1.0,
        tilt_fraction=0.0, motion_fraction=1.0, noise_low_hu=2, noise_high_hu=2,
    )  # fmt: skip
    assert [VENDORS[k].manufacturer for k in vendors_of(site)] == ["Philips"]
    rng = np.random.default_rng(0)
    made = [draw_protocol(SimulateConfig(), site, vendors_of(site)[0], rng) for _ in range(50)]
    thin = [p for p in made if p.slice_mm == 1.25]
    assert 10 < len(thin) < 40
    assert not any(p.mixed for p in thin)
    assert all(p.mixed for p in made if p.slice_mm == 4)
    assert all(p.motion_mm > 0 and p.tilt_degrees == 0 for p in made)
    # Iterative reconstruction lessens the noise by what it coarsens it.
    for one in thin:
        noise = one.noise_hu * one.grain_mm / one.blur_mm
        assert noise == pytest.approx(2 * np.sqrt(4 / 1.25))


def test_what_a_scanner_makes_of_a_head_leaves_the_rest_of_the_plan_as_it_is():
    """The look is drawn apart: patients and their poses stay who and what they are."""
    site = SiteConfig(name="a")
    one, two = np.random.default_rng(5), np.random.default_rng(5)
    drawn = [draw_protocol(SimulateConfig(), site, 0, one) for _ in range(30)]
    two.normal(0, [4.5, 3.0, 4.5])
    assert drawn[0].shift_mm == pytest.approx(tuple(two.normal(0, [4.0, 3.0, 3.0])))
    overlaps = np.array([one.overlap for one in drawn])
    assert (overlaps == 0).any()
    assert overlaps.max() > 0.5
    blurs = [one.blur_mm / VENDORS[0].blur_mm for one in drawn]
    assert min(blurs) < 0.95
    assert max(blurs) > 1.5
    assert len({one.response for one in drawn}) == 30


def test_an_unknown_scanner_is_refused():
    with pytest.raises(ConfigError, match="ACME"):
        vendors_of(SiteConfig(name="a", vendors=("ACME",)))
