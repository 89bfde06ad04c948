"""Header styles of the scanners that simulated scans pretend to come from.

Each follows the habits of one make, as its public conformance statements and files show them: how
images are named and numbered, which sign a tilt has, how values are stored. No entry is a real
device: every model name begins with "Simulated".
"""

from __future__ import annotations

from dataclasses import dataclass

from hemocast.dicom.files.write import LOWEST_HU


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
    study_description : str
        As in the DICOM header.
    kvp : float
        Tube voltage usual for heads, kV.
    signed : bool
        Values are stored in 16 bits with a sign.
    intercept : int
        RescaleIntercept.
    padding : int or None
        Stored value outside the circle that is reconstructed.
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
    study_description: str = "HEAD"
    kvp: float = 120.0
    signed: bool = False
    intercept: int = LOWEST_HU
    padding: int | None = None


VENDORS = (
    Vendor("GE MEDICAL SYSTEMS", "Simulated LightSpeed", "STANDARD", "Head 5mm",
           ("ORIGINAL", "PRIMARY", "AXIAL"), 1.2, True, False, 1,
           "CT HEAD W/O CONTRAST", 120.0, True, LOWEST_HU, -2000),
    Vendor("SIEMENS", "Simulated SOMATOM", "H31s", "HeadSeq 5.0 H31s",
           ("ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SEQ"), 1.4, False, False, -1,
           "Head^HeadSeq (Adult)", 120.0),
    Vendor("Philips", "Simulated Brilliance", "UB", "BRAIN W/O",
           ("ORIGINAL", "PRIMARY", "AXIAL", "HELIX"), 1.3, True, False, 1,
           "CT Brain", 120.0),
    Vendor("TOSHIBA", "Simulated Aquilion", "FC26", "Head 5.0",
           ("ORIGINAL", "PRIMARY", "AXIAL"), 1.1, False, True, -1,
           "HEAD ROUTINE", 120.0, True, 0),
    Vendor("NMS", "Simulated NeuViz", "F20", "Head Axial 5.0",
           ("ORIGINAL", "PRIMARY", "AXIAL"), 1.3, True, True, 1,
           "Head Routine", 120.0, True, LOWEST_HU, -1024),
)  # fmt: skip
