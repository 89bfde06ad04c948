"""Header styles of the scanners that simulated scans pretend to come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Vendor:
    """How one make of scanner writes its headers, and a little of how its pictures look.

    Parameters
    ----------
    manufacturer, model, kernel, description : str
        As in the DICOM header.
    image_type : tuple of str
        As in the DICOM header.
    blur_mm : float
        Full width at half maximum of the kernel, mm.
    holder : bool
        The head holder shows.
    top_first : bool
        Images are numbered from the vertex down.
    tilt_sign : int
        Sign with which the nominal gantry tilt is written.
    """

    manufacturer: str
    model: str
    kernel: str
    description: str
    image_type: tuple[str, ...]
    blur_mm: float
    holder: bool
    top_first: bool
    tilt_sign: int


VENDORS = (
    Vendor("GE MEDICAL SYSTEMS", "Simulated LightSpeed", "STANDARD", "Head 5mm",
           ("ORIGINAL", "PRIMARY", "AXIAL"), 1.2, True, False, 1),
    Vendor("SIEMENS", "Simulated SOMATOM", "H31s", "HeadSeq 5.0 H31s",
           ("ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SEQ"), 1.4, False, False, -1),
    Vendor("Philips", "Simulated Brilliance", "UB", "BRAIN W/O",
           ("ORIGINAL", "PRIMARY", "AXIAL", "HELIX"), 1.3, True, False, 1),
    Vendor("TOSHIBA", "Simulated Aquilion", "FC26", "Head 5.0",
           ("ORIGINAL", "PRIMARY", "AXIAL"), 1.1, False, True, -1),
)  # fmt: skip
