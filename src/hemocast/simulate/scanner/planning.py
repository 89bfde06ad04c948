"""How a scan is made: which of the site's scanners, how the head lies, what the settings are."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from hemocast.config import SimulateConfig, SiteConfig
from hemocast.errors import ConfigError
from hemocast.simulate.scanner.detector import Protocol
from hemocast.simulate.scanner.response import draw_response
from hemocast.simulate.scanner.vendors import VENDORS

THIN_MM = 1.25
"""Thickness of a thin series."""

MOTION_MM = (1.0, 4.0)
"""How far a head moves that does not keep still; ours."""

SHARPNESS = (0.65, 1.9)
"""Kernels in use against the vendor's standard one; ours."""

ITERATIVE_SHARE, SMOOTHING = 0.6, (1.1, 1.9)
"""Scans reconstructed iteratively, and by how much that coarsens and lessens the noise; ours."""

OVERLAP = (-0.7, 0.97)
"""Correlation of the noise of neighbouring slices, 0 for what is below it; ours."""


def vendors_of(site: SiteConfig) -> tuple[int, ...]:
    """Return the scanners of a site, as indices into `VENDORS`.

    Raises
    ------
    ConfigError
        The site names a manufacturer that is not simulated.
    """
    makers = [vendor.manufacturer for vendor in VENDORS]
    if unknown := set(site.vendors) - set(makers):
        raise ConfigError(
            f"Site {site.name} has scanners by {', '.join(sorted(unknown))}",
            f"some of {', '.join(makers)}",
            "Correct the site's vendors",
        )
    return tuple(k for k, maker in enumerate(makers) if not site.vendors or maker in site.vendors)


def draw_protocol(
    config: SimulateConfig, site: SiteConfig, vendor: int, rng: Generator
) -> Protocol:
    """Draw pose and settings of one scan; thinner slices are as much noisier as they are thinner.

    Parameters
    ----------
    config : SimulateConfig
        For the size of the images.
    site : SiteConfig
        For everything else.
    vendor : int
        Index into `VENDORS`.
    rng : Generator
        Source of randomness.
    """
    pitch, roll, yaw = np.clip(rng.normal(0, [4.5, 3.0, 4.5]), -10, 10)
    shift = rng.normal(0, [4.0, 3.0, 3.0])
    margin = rng.uniform([2, 0], [10, 7])
    tilt = rng.uniform(5, 20) if rng.random() < site.tilt_fraction else 0.0
    noise = rng.uniform(site.noise_low_hu, site.noise_high_hu)
    motion = rng.uniform(*MOTION_MM) if rng.random() < site.motion_fraction else 0.0
    thin = rng.random() < site.thin_fraction
    mixed = rng.random() < site.mixed_fraction and not thin
    slice_mm = min(THIN_MM, site.slice_mm) if thin else site.slice_mm
    look = rng.spawn(1)[0]  # of its own, so that the patients stay who they are
    blur = VENDORS[vendor].blur_mm * look.uniform(*SHARPNESS)
    smoothing = look.uniform(*SMOOTHING) if look.random() < ITERATIVE_SHARE else 1.0
    return Protocol(
        matrix=config.matrix,
        field_mm=config.field_mm,
        slice_mm=slice_mm,
        rotation_degrees=(float(pitch), float(roll), float(yaw)),
        shift_mm=(float(shift[0]), float(shift[1]), float(shift[2])),
        margin_mm=(float(margin[0]), float(margin[1])),
        tilt_degrees=float(tilt),
        blur_mm=float(blur),
        noise_hu=float(noise / smoothing * np.sqrt(site.slice_mm / slice_mm)),
        holder=VENDORS[vendor].holder,
        motion_mm=float(motion),
        mixed=bool(mixed),
        grain_mm=float(blur * smoothing),
        overlap=max(0.0, float(look.uniform(*OVERLAP))),
        response=draw_response(look),
    )
