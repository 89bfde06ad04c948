"""Free text of a header -> the words in it that cannot identify anybody.

What the reader tells series apart by (contrast or plain, bone or brain, head or chest, localizer,
perfusion) must come through, or a contrast scan would leave as a plain one. So what is not known is
replaced by a mark, never dropped: ``NO <name> CONTRAST`` must not become ``NO CONTRAST``.
"""

from __future__ import annotations

import re

from hemocast.dicom.header.kernels import bone_prefix, is_known
from hemocast.dicom.words.terms import SOLID, Meaning, fold, read_words, spelled

MARK = "_"


def _listed(text: str) -> list[str]:
    return text.split()


WORDS = frozenset(
    _listed("""
CT CTA CTP CBF CBV MTT TMAX NCCT NECT CECT CE CCT CAT NC HEAD BRAIN CEREBRAL CEREBRUM SKULL CRANIUM
CRANIAL CRANIO KOPF SCHAEDEL TETE CABEZA CRANEO CEREBRO ENCEPHALE STROKE NECK FACE FACIAL SINUS
SINUSES ORBIT ORBITS TEMPORAL DENTAL IAC PETROUS BASE VERTEX POSTERIOR FOSSA CHEST THORAX ABDOMEN
ABD PELVIS SPINE CERVICAL LUMBAR HEART CARDIAC LUNG KNEE ANKLE FOOT HAND WRIST SHOULDER HIP ELBOW
LEG ARM EXTREMITY LIVER KIDNEY WHOLE BODY WITHOUT WITH OHNE MIT SANS SIN NO NON NONCON NONCONTRAST
W WO W/O CONTRAST CONTRASTE KM ENHANCED UNENHANCED PLAIN NATIV NATIVE NATIF CON PRE POST IV I.V. C+
C- +C ANGIO ANGIOGRAPHY ANGIOGRAM CAROTID CAROTIDS VENOUS ARTERIAL DELAYED PHASE PERFUSION PERF
DYNAMIC CINE BONE BONES OSSEUS OSTEO KNOCHEN OS SOFT TISSUE STANDARD STD SMOOTH SHARP DETAIL EDGE
WINDOW AXIAL CORONAL SAGITTAL COR SAG AX OBLIQUE TRANSVERSE HELICAL SPIRAL SEQUENTIAL SEQ HEADSEQ
HEADSPI ROUTINE EMERGENCY TRAUMA ADULT CHILD FOLLOW UP FU CONTROL ACUTE SERIES STUDY SCAN EXAM
IMAGE IMAGES THIN THICK SLICE SLICES RECON RECONSTRUCTION VOLUME MPR MIP MINIP VRT 3D 2D
REFORMATTED REFORMAT LOCALIZER LOCALISER SCOUT TOPOGRAM SURVIEW SCANOGRAM PILOT DOSE REPORT SUMMARY
SCREEN SAVE PART NONE NIL NA N/A N UNKNOWN INTRACRANIAL VESSELS OF THE AND IN MM SIMULATED
""")
)

# A known term in words that are not listed leaves as its meaning: HART, which is a heart and a
# name, as BODY PART.
_ENGLISH = {
    Meaning.WITHOUT: "WITHOUT", Meaning.NOT: "NO", Meaning.NONE: "NONE", Meaning.WITH: "WITH",
    Meaning.AND: "AND", Meaning.FILLER: "OF", Meaning.AGENT: "CONTRAST", Meaning.PLAIN: "PLAIN",
    Meaning.ENHANCED: "ENHANCED", Meaning.VESSELS: "ANGIO", Meaning.BOTH: "WITH AND WITHOUT",
    Meaning.MAYBE: "DELAYED", Meaning.UNKNOWN: "UNKNOWN", Meaning.LOCALIZER: "LOCALIZER",
    Meaning.PERFUSION: "PERFUSION", Meaning.BONE: "BONE", Meaning.MADE_WORDS: "MIP",
    Meaning.MADE: "MPR", Meaning.HEAD: "HEAD", Meaning.ELSEWHERE: "BODY PART",
}  # fmt: skip

SCANNERS = WORDS | frozenset(
    _listed("""
GE MEDICAL SYSTEMS HEALTHCARE SIEMENS HEALTHINEERS PHILIPS TOSHIBA CANON HITACHI SHIMADZU NEUSOFT
UIH UNITED IMAGING SAMSUNG ELECTRONICS NEUROLOGICA NMS FUJIFILM MARCONI PICKER ELSCINT IMATRON
MINFOUND ANKE CORPORATION CO LTD INC GMBH LIGHTSPEED HISPEED BRIGHTSPEED PROSPEED DISCOVERY OPTIMA
REVOLUTION APEX MAXIMA CT750 CT750HD CT660 CT580 CT540 CT520 CT670 CT680 HD HDE EVO EXPERT ACE VCT
ULTRA PLUS PRO RT QX/I QXI DUAL SOMATOM SENSATION EMOTION DEFINITION FLASH DRIVE FORCE PERSPECTIVE
SPIRIT SCOPE CONFIDENCE BALANCE AR STAR HIQ GO TOP NOW ALL SIM X.CITE XCITE NAEOTOM ALPHA PEAK AS
AS+ DUO BRILLIANCE INGENUITY INCISIVE ICT IQON SPECTRAL ACCESS BIG BORE MX MX8000 IDT TOMOSCAN SP
ELITE CORE FLEX SIMULATOR HEMOCAST AQUILION ONE PRIME LIGHTNING PRECISION START EXCEED ASTEION
ALEXION ACTIVION AUKLET XVISION ASPIRE CX LB CXL VIEWS GENESIS EDITION SCENARIA ECLOS SUPRIA VIEW
GRANDE NEUVIZ ANATOM UCT CERETOM BODYTOM OMNITOM ELARA PHANTOM
""")
)

_TOKEN = re.compile(
    r"W/O|N/A|QX/I|I\.V\.|X\.CITE|AS\+|C[+-](?!\w)|\+C(?!\w)|\d{1,2}(?:\.\d{1,3})?\s?MM(?![^\W_])"
    r"|\d+(?:\.\d+)+|[^\W_]+|_|\s+|."
)
_MEASURE = re.compile(r"\d{1,2}(\.\d{1,3})?\s?MM")
_SHORT_NUMBER = re.compile(r"\d{1,3}|\d{1,2}\.\d")
_BESIDE_SOLID = re.compile(rf"(?<=[{SOLID}])(?=[^\W_])|(?<=[^\W_])(?=[{SOLID}])")
_MOST = 64  # characters of a value of DICOM's kind LO
_BETWEEN = frozenset(" -/+_,&")
_MARKS = re.compile(r"(?:_[\s/+,-]*)+_")


def clean_words(text: str) -> str:
    """Keep the known words and thicknesses of a description; any run of others becomes one mark.

    Terms of other languages and scripts become the English word for what they mean to the reader.

    Parameters
    ----------
    text : str
        Free text.

    Returns
    -------
    str
        ASCII, upper case; empty when nothing of the text was known.
    """
    return _listed_words(_in_english(spelled(text)), WORDS, numbers=False)


def clean_scanner(text: str) -> str:
    """Keep of a maker's or scanner's name what is known to name scanners, and short numbers."""
    return _listed_words(fold(text), SCANNERS, numbers=True)


def _in_english(text: str) -> str:
    """Put in the place of every known term that is not listed the word for what it means."""
    folded, out, at = fold(text), [], 0
    for word in read_words(text):
        listed = all(
            token in WORDS or token in _BETWEEN or token.isspace()
            for token in _TOKEN.findall(folded[word.start : word.end])
        )
        if word.meanings and not listed:
            meant = next((e for m, e in _ENGLISH.items() if m in word.meanings), MARK)
            out += [folded[at : word.start], f" {meant} "]
            # I.V. ends with a dot of its own.
            at = word.end + folded.startswith(".", word.end)
    return _BESIDE_SOLID.sub(" ", "".join([*out, folded[at:]]))


def _listed_words(folded: str, words: frozenset[str], *, numbers: bool) -> str:
    out = []
    for token in _TOKEN.findall(folded):
        if token in words or _MEASURE.fullmatch(token) or token in _BETWEEN:
            out.append(token)
        elif token.isspace():
            out.append(" ")
        elif numbers and _SHORT_NUMBER.fullmatch(token):
            out.append(token)
        else:
            out.append(MARK)
    result = _MARKS.sub(MARK, re.sub(r" +", " ", "".join(out))).strip(" _-/+,&")
    # A sign at an end may be part of a word that was looked up.
    if "C" in (result[-1:], result[:1]):
        result = _signed(result, "".join(out))
    last = read_words(result)[-1:]
    # NO before a name denies nothing: the mark behind it stays.
    if MARK in out and any(word.meanings & {Meaning.WITH, Meaning.NOT} for word in last):
        result = f"{result} {MARK}"
    # No half words, which might be taken for others.
    return result if len(result) <= _MOST else result[: _MOST + 1].rpartition(" ")[0]


def _signed(stripped: str, whole: str) -> str:
    """Give a last ``C+`` or ``C-``, or a first ``+C``, its sign back."""
    at = whole.rstrip(" _/,")
    if stripped.endswith("C") and at.endswith(("C+", "C-")):
        stripped += at[-1]
    if stripped.startswith("C") and whole.lstrip(" _/,-").startswith("+C"):
        stripped = "+" + stripped
    return stripped


def clean_kernel(text: str, stand_in: str) -> str:
    """Keep the name of a kernel that a vendor gives; another becomes a stand-in.

    What marks a name as that of a bone or lung kernel stays before the stand-in.

    Parameters
    ----------
    text : str
        Name of the kernel.
    stand_in : str
        Up to 7 characters that tell one unknown name from another.
    """
    name = fold(text).strip()
    return name if not name or is_known(name) else f"{bone_prefix(name)} {stand_in}".strip()


def scanner_facts(manufacturer: str, model: str, kernel: str) -> dict[str, str]:
    """Say what may be published of a scanner: the words of it that are known to name scanners."""
    return {
        "manufacturer": clean_scanner(manufacturer),
        "model": clean_scanner(model),
        "kernel": clean_kernel(kernel, "OTHER"),
    }
