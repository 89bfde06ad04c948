"""What concepts are called: standard codes where there are ones, else our own scheme.

SNOMED CT, DICOM, UCUM and LOINC codes are those of PS3.16's context groups, with two of SNOMED CT's
own (infarct, cerebral infarction). What none of them names has a code of ``99HEMOCAST``, which
`OWN_SCHEME` declares in every object that uses it; a code is never given another meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

OWN = "99HEMOCAST"
OWN_SCHEME = ("Hemocast concepts", "Hemocast developers")
"""Name, and who is responsible."""


@dataclass(frozen=True)
class Concept:
    """A coded concept.

    Parameters
    ----------
    value : str
        Its code; at most 16 characters.
    scheme : str
        ``SCT``, ``DCM``, ``LN``, ``UCUM`` or `OWN`.
    meaning : str
        In English; at most 64 characters.
    """

    value: str
    scheme: str
    meaning: str


def own(value: str, meaning: str) -> Concept:
    """Return a concept of our own scheme."""
    return Concept(value, OWN, meaning)


BRAIN = Concept("12738006", "SCT", "Brain")
INFARCT = Concept("55641003", "SCT", "Infarct")
CEREBRAL_INFARCTION = Concept("432504007", "SCT", "Cerebral infarction")
ABNORMAL_STRUCTURE = Concept("49755003", "SCT", "Morphologically Abnormal Structure")
VOLUME = Concept("118565006", "SCT", "Volume")
LATERALITY = Concept("272741003", "SCT", "Laterality")
LEFT = Concept("7771000", "SCT", "Left")
RIGHT = Concept("24028007", "SCT", "Right")
YES = Concept("373066001", "SCT", "Yes")
NO = Concept("373067005", "SCT", "No")
CT = Concept("25045-6", "LN", "CT unspecified body region")
"""The only plain CT of context group 100, which PixelMed's validator holds reports to."""
HEAD_CT = Concept("24725-4", "LN", "CT Head")

PERCENT = Concept("%", "UCUM", "Percent")
ML = Concept("mL", "UCUM", "milliliter")
MM = Concept("mm", "UCUM", "mm")
ONE = Concept("1", "UCUM", "no units")
PER_CM3 = Concept("/cm3", "UCUM", "per cubic centimeter")

RISK = own("HT-RISK", "Probability of hemorrhagic transformation")
THRESHOLD = own("HT-THRESHOLD", "Threshold of the probability")
ABOVE = own("HT-ABOVE", "Probability reaches the threshold")
EVIDENCE = own("HT-EVIDENCE", "Evidence for HT, log-odds per volume")
SIMULATED = own("SIMULATED", "Simulated data: says nothing about a patient")
NOTICE = own("NOTICE", "Notice")
HORIZON = own("HORIZON", "Horizon of the probability")
POPULATION = own("POPULATION", "Population of the probability")
DOUBT = own("DOUBT", "Reason for doubt")
MISSING = own("NOT-MEASURED", "Sign that was not measured")
REVISION = own("REVISION", "Revision of the result")
REPORT_UID = own("REPORT-UID", "UID of the structured report")
ALGORITHM = own("ALGORITHM", "Program and model")
REGION = own("HT-REGION", "Brain, in the slice with most evidence for HT")

UPTAKE = own("WATER-UPTAKE", "Net water uptake of the infarct")
MCA_SHARE = own("MCA-SHARE", "Share of the MCA territory that is infarcted")
SEEN = own("INFARCT-SEEN", "Acute infarct is outlined")
TERRITORY = own("TERRITORY", "Arterial territory of most of the infarct")
ASPECTS = own("ASPECTS", "Alberta Stroke Program Early CT Score")
ARTERY = own("DENSE-ARTERY", "Dense middle cerebral artery")
ARTERY_SIDE = own("DENSE-SIDE", "Side of the dense artery")
MIDLINE = own("MIDLINE-SHIFT", "Midline shift at the third ventricle")
GRADE = own("VAN-SWIETEN", "Van Swieten's grade of leukoaraiosis")
VENTRICLES = own("VENTRICLES", "Volume of the lateral ventricles")
BICAUDATE = own("BICAUDATE", "Bicaudate ratio")
CALCIUM = own("CALCIFICATION", "Volume of calcification in the brain")
OLD_INFARCT = own("OLD-INFARCT", "Volume of the core of an old infarct")
BLOOD = own("BLOOD", "Volume of what may be blood")

TERRITORIES = {
    "MCA": Concept("17232002", "SCT", "Middle Cerebral Artery"),
    "ACA": Concept("60176003", "SCT", "Anterior Cerebral Artery"),
    "PCA": Concept("70382005", "SCT", "Posterior Cerebral Artery"),
    "cerebellar": Concept("113305005", "SCT", "Cerebellum"),
    "pons": own("PONS", "Pons"),
}
SIDES = {"left": LEFT, "right": RIGHT}


def region_of_aspects(name: str) -> Concept:
    """Return the concept of one ASPECTS region that costs a point."""
    return own(f"ASPECTS-{name.upper()}"[:16], f"ASPECTS region {name} is affected")


def end_of(concept: Concept, *, upper: bool) -> Concept:
    """Return the concept of one end of a number's 95 % interval."""
    base = concept.value if concept.scheme == OWN else concept.meaning.upper()
    end = "HI" if upper else "LO"
    which = "upper" if upper else "lower"
    meaning = f"{concept.meaning}: {which} 95 % limit"
    return own(
        f"{base[:13]}-{end}", meaning if len(meaning) <= 64 else f"{base}: {which} 95 % limit"
    )
