"""What a clean CT file may hold: a table of the standard, and an allow-list of our own.

Two walls stand one behind the other. Only attributes named here are looked at; everything else is
left behind, whatever it is: private blocks, overlays, curves, icons, documents, structured content,
sequences and text that are not named. And an attribute named here to be kept as it is stays only
where the Basic Application Level Confidentiality Profile (DICOM PS3.15 table E.1-1, as tabulated by
the package ``dicom-anonymizer`` from the 2026c edition) does not list it.

Options of the profile that are taken: Clean Descriptors (words from an allow-list), Retain
Longitudinal Temporal Information with Modified Dates (whole days, so that times of day and all
intervals stay), Retain Patient Characteristics (sex; age, capped). Not taken: Retain Device
Identity (serial number, station, software and device UIDs go; make and model stay, from an
allow-list, for scanners differ and a site is not told by them) and Clean Recognizable Visual
Features (a face can be made from a head CT; the header says so).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module

PROFILE_EDITION = "2026c"


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# The profile's options, from CID 7050 of DICOM PS3.16.
METHODS = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113105", "Clean Descriptors Option"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113108", "Retain Patient Characteristics Option"),
)

# Kept where a value is of its attribute's form; words only where TERMS has them.
KEPT = _listed("""
SOPClassUID Modality PatientPosition BodyPartExamined ScanOptions
SliceThickness KVP SpacingBetweenSlices DataCollectionDiameter ReconstructionDiameter
DistanceSourceToDetector DistanceSourceToPatient GantryDetectorTilt TableHeight RotationDirection
ExposureTime XRayTubeCurrent Exposure ExposureInuAs GeneratorPower FocalSpots
RevolutionTime SingleCollimationWidth TotalCollimationWidth TableSpeed TableFeedPerRotation
SpiralPitchFactor DataCollectionCenterPatient ReconstructionTargetCenterPatient
ExposureModulationType EstimatedDoseSaving CTDIvol AcquisitionType ReconstructionAlgorithm
ContrastBolusVolume ContrastBolusTotalDose
SeriesNumber AcquisitionNumber InstanceNumber TemporalPositionIdentifier NumberOfTemporalPositions
ImagePositionPatient ImageOrientationPatient SliceLocation PatientOrientation
SamplesPerPixel PhotometricInterpretation NumberOfFrames Rows Columns PixelSpacing
BitsAllocated BitsStored HighBit PixelRepresentation SmallestImagePixelValue LargestImagePixelValue
PixelPaddingValue PixelPaddingRangeLimit RescaleIntercept RescaleSlope RescaleType
WindowCenter WindowWidth LossyImageCompression LossyImageCompressionRatio
LossyImageCompressionMethod BurnedInAnnotation PresentationLUTShape
PixelPresentation VolumetricProperties VolumeBasedCalculationTechnique ContentQualification
FrameAcquisitionNumber FrameAcquisitionDuration InStackPositionNumber TemporalPositionIndex
DimensionIndexValues DimensionIndexPointer FunctionalGroupPointer
ReferencedSOPClassUID ReferencedFrameNumber
TubeAngle ConstantVolumeFlag FluoroscopyFlag ExposureTimeInms XRayTubeCurrentInmA ExposureInmAs
""")

# UIDs of the profile that are replaced, not left behind: references go on working.
REPLACED_UIDS = _listed("""
SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID
SynchronizationFrameOfReferenceUID ReferencedSOPInstanceUID DimensionOrganizationUID
IrradiationEventUID ConcatenationUID
""")

# Sequences of a CT image that are rebuilt, by these same rules, item by item.
SEQUENCES = _listed("""
ReferencedImageSequence SourceImageSequence
SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence
PixelMeasuresSequence PlanePositionSequence PlaneOrientationSequence FrameContentSequence
PixelValueTransformationSequence FrameVOILUTSequence CTImageFrameTypeSequence
CTAcquisitionTypeSequence CTAcquisitionDetailsSequence CTTableDynamicsSequence CTPositionSequence
CTGeometrySequence CTReconstructionSequence CTExposureSequence CTXRayDetailsSequence
DimensionOrganizationSequence DimensionIndexSequence
""")

DATES_AND_TIMES = _listed("""
StudyDate StudyTime SeriesDate SeriesTime AcquisitionDate AcquisitionTime ContentDate ContentTime
AcquisitionDateTime FrameAcquisitionDateTime FrameReferenceDateTime
""")

# Image types and kernels tell series apart: a word not known is replaced, not dropped.
DISGUISED = ("ImageType", "FrameType", "ConvolutionKernel")
# Free text of which the words of `hemocast.dicom.deidentify.words` stay.
DESCRIPTORS = ("StudyDescription", "SeriesDescription", "ProtocolName")
SCANNER = ("Manufacturer", "ManufacturerModelName")
# A CT image must have these, but may leave them empty (PS3.3 A.3: type 2).
EMPTY = (
    "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "PatientName",
    "PatientID", "PatientBirthDate", "PatientSex", "StudyID", "SeriesNumber", "AcquisitionNumber",
    "PositionReferenceIndicator", "Manufacturer", "InstanceNumber",
)  # fmt: skip

# The values that coded attributes (VR CS, and RescaleType) may have.
TERMS = frozenset(
    _listed("""
CT YES NO HU US HU_MOD MONOCHROME2 MONOCHROME1 IDENTITY INVERSE 00 01 CW CC
HFS HFP HFDR HFDL FFS FFP FFDR FFDL L R A P H F LA LP LH LF RA RP RH RF AH AF PH PF
ORIGINAL DERIVED PRIMARY SECONDARY MIXED NONE AXIAL HELICAL HELIX SPIRAL SEQUENCED VOLUME
STATIONARY FREE CONSTANT_ANGLE AVERAGE MPR MIP MINIP MAX_IP MIN_IP REFORMATTED WHOLE
RESAMPLED FILTERED ENHANCED MONOCHROME TRUE_COLOR COLOR SAMPLED DISTORTED
MONOENERGETIC_CT DUALENERGY SUBTRACTION
SPI SEQ CT_SOM5 CT_SOM7 CT_SOM8 CSA RECON ARR NORM CONVOLUTION FLOW IVOLUME
PRODUCT RESEARCH SERVICE ISO_10918_1 ISO_14495_1 ISO_15444_1 ISO_13818_2
FILTER_BACK_PROJ ITERATIVE MODE
HEAD BRAIN SKULL NECK HEADNECK CEREBRUM CEREBELLUM ORBIT SINUS PNS FACE MAXILLA MANDIBLE EAR IAC
TEMPORAL CHEST THORAX ABDOMEN PELVIS SPINE CSPINE TSPINE LSPINE HEART LUNG LIVER KIDNEY KNEE ANKLE
FOOT HAND WRIST SHOULDER HIP ELBOW LEG ARM EXTREMITY WHOLEBODY KOPF CABEZA TETE
DOSE_MODULATION AUTO FIXED DOM
""")
)


@lru_cache(maxsize=1)
def basic_profile() -> Mapping[int, str]:
    """Give the action of PS3.15 table E.1-1 for every attribute it lists by one tag.

    Returns
    -------
    mapping of int to str
        Tag -> ``D``, ``Z``, ``X``, ``U`` or their alternatives, ``X/Z`` and so on. The repeating
        groups (curves, overlays) are not in it: nothing of them is ever kept.
    """
    name = f"dicomanonymizer.dicom_anonymization_databases.dicomfields_{PROFILE_EDITION}"
    table = import_module(name)
    lists = {
        "D": table.D_TAGS,
        "Z": table.Z_TAGS,
        "X": table.X_TAGS,
        "U": table.U_TAGS,
        "Z/D": table.Z_D_TAGS,
        "X/Z": table.X_Z_TAGS,
        "X/D": table.X_D_TAGS,
        "X/Z/D": table.X_Z_D_TAGS,
        "X/Z/U*": table.X_Z_U_STAR_TAGS,
    }
    return {
        tag[0] << 16 | tag[1]: action for action, tags in lists.items() for tag in tags
        if len(tag) == 2
    }  # fmt: skip


@lru_cache(maxsize=1)
def rules() -> Mapping[int, str]:
    """Give what happens to every attribute that is looked at.

    Returns
    -------
    mapping of int to str
        Tag -> ``keep``, ``uid``, ``items``, ``shift``, ``disguise``, ``words`` or ``scanner``.
    """
    from pydicom.datadict import tag_for_keyword

    profile = basic_profile()
    found: dict[int, str] = {}

    def take(keywords: tuple[str, ...], rule: str) -> None:
        for keyword in keywords:
            tag = tag_for_keyword(keyword)
            if tag is None:
                raise ValueError(f"the data dictionary has no {keyword}")
            action = profile.get(tag, "")
            if rule not in ("keep", "scanner", "disguise", "items") or "U" in action or not action:
                found[tag] = rule

    take(KEPT, "keep")
    take(REPLACED_UIDS, "uid")
    take(SEQUENCES, "items")
    take(DATES_AND_TIMES, "shift")
    take(DISGUISED, "disguise")
    take(DESCRIPTORS, "words")
    take(SCANNER, "scanner")
    return found
