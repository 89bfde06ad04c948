"""One parsed header -> a new one that names nobody."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from hemocast.dicom.deidentify import policy
from hemocast.dicom.deidentify.words import clean_kernel, clean_scanner, clean_words
from hemocast.dicom.words.contrast import Agent, said_of_agent
from hemocast.volume import SIMULATED

if TYPE_CHECKING:
    from pydicom import Dataset

MOST_AGED = 90  # who is 90 or older is told as 90 (45 CFR 164.514(b)(2)(i)(C))
SIMULATED_COMMENT = f"{SIMULATED} - not a patient"
_DEEPEST = 4  # functional groups hold macros, which hold one more level
_MOST_VALUES = 64
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_WHOLE = re.compile(r"[+-]?\d{1,12}")
_TIME = re.compile(r"(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)")
_DATE_TIME = re.compile(r"(\d{8})(\d{0,6})(\.\d{1,6})?([&+-]\d{4})?")
_AGE = re.compile(r"\d{3}[DWMY]")
_WHOLE_NUMBERS = frozenset(("US", "SS", "UL", "SL", "AT"))


@dataclass(frozen=True)
class Keyed:
    """What turns identities into pseudonyms: the same key gives the same, another key others.

    Parameters
    ----------
    key : bytes
        The secret; UIDs are made from it here.
    pseudonym : callable
        From a patient's identifier to the pseudonym.
    shift : callable
        From a patient's identifier to the whole days taken away from all of the patient's dates.
    """

    key: bytes
    pseudonym: Callable[[str], str]
    shift: Callable[[str], timedelta]

    def uid(self, uid: str) -> str:
        """Replace a UID, unless it is one of the standard's own.

        The form is ``2.25.`` and a 128-bit number (PS3.5 annex B.2) from HMAC-SHA256.
        """
        uid = uid.strip(" \0")
        if not uid or _of_the_standard(uid):
            return uid
        return f"2.25.{int.from_bytes(self._digest('uid', uid)[:16], 'big')}"

    def word(self, word: str) -> str:
        """Give a stand-in for a word, ``X`` and six hexadecimal digits."""
        return f"X{self._digest('word', word).hex()[:6].upper()}"

    def _digest(self, kind: str, text: str) -> bytes:
        message = f"{kind}:{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self.key, message, hashlib.sha256).digest()


def _of_the_standard(uid: str) -> bool:
    """Tell whether the standard itself defines a UID (a class, a syntax, a well-known frame)."""
    from pydicom import config
    from pydicom.uid import UID

    return bool(UID(uid, validation_mode=config.IGNORE).name != uid)


def clean_header(source: Dataset, patient: str, keyed: Keyed, method: str) -> Dataset:
    """Build a clean header from a CT image's; without pixel data and file meta information.

    Parameters
    ----------
    source : pydicom.Dataset
        As parsed; is not changed.
    patient : str
        The identifier that the pseudonym and the shift are made from.
    keyed : Keyed
        Pseudonyms.
    method : str
        For DeidentificationMethod.

    Raises
    ------
    ValueError
        The shift is not of whole days: times of day would have to move too.
    """
    shift = keyed.shift(patient)
    if shift % timedelta(days=1):
        raise ValueError("dates are shifted by whole days")
    out = _Cleaner(keyed, shift).level(source, 0)
    for keyword in policy.EMPTY:
        if keyword not in out:
            setattr(out, keyword, "")
    pseudonym = keyed.pseudonym(patient)
    out.PatientID = pseudonym
    out.PatientName = pseudonym
    sex = _text(source, "PatientSex").upper()
    out.PatientSex = sex if sex in ("M", "F", "O") else ""
    if age := _age(source):
        out.PatientAge = age
    if agent := _contrast(source):
        out.ContrastBolusAgent = agent
    if _text(source, "ImageComments").upper().startswith(SIMULATED):
        out.ImageComments = SIMULATED_COMMENT
    _declare(out, method)
    return out


def _declare(out: Dataset, method: str) -> None:
    """Say in the header what was done to it (PS3.15 E.1.1)."""
    from pydicom import Dataset

    codes = []
    for value, meaning in policy.METHODS:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
        codes.append(code)
    out.PatientIdentityRemoved = "YES"
    out.DeidentificationMethod = method
    out.DeidentificationMethodCodeSequence = codes
    out.LongitudinalTemporalInformationModified = "MODIFIED"
    out.RecognizableVisualFeatures = "YES"


def _text(source: Dataset, keyword: str) -> str:
    """Text of an element, its values joined; empty when it is missing or cannot be read."""
    try:
        value = source.get(keyword)
    except Exception:  # whatever the parser trips over in this element
        return ""
    if value is None or isinstance(value, bytes):
        return ""
    parts = value if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    return "\\".join(str(part) for part in parts).strip(" \0")


def _age(source: Dataset) -> str:
    """Age as it stands or from the date of birth, capped."""
    age = _text(source, "PatientAge").upper()
    if not _AGE.fullmatch(age):
        born, seen = (_date(_text(source, k)) for k in ("PatientBirthDate", "StudyDate"))
        if born is None or seen is None or born > seen:
            return ""
        years = seen.year - born.year - ((seen.month, seen.day) < (born.month, born.day))
        return f"{min(years, MOST_AGED):03d}Y"
    return f"{MOST_AGED:03d}Y" if age.endswith("Y") and int(age[:3]) > MOST_AGED else age


def _contrast(source: Dataset) -> str:
    """Whether an agent was given; its name only where all of it is known."""
    agent = _text(source, "ContrastBolusAgent").upper()
    if not agent:
        return "CONTRAST" if source.get("ContrastBolusAgentSequence") else ""
    said = said_of_agent(agent)
    return "CONTRAST" if said is Agent.GIVEN else said.name


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text.replace(".", "").replace("-", "")[:8])
    except ValueError:
        return None


class _Cleaner:
    """Applies the rules, element by element."""

    def __init__(self, keyed: Keyed, shift: timedelta) -> None:
        self.keyed = keyed
        self.shift = shift

    def level(self, source: Dataset, depth: int) -> Dataset:
        """Build a dataset of what the rules keep of one level."""
        from pydicom import Dataset

        out = Dataset()
        rules = policy.rules()
        for tag in sorted(source.keys()):
            rule = rules.get(int(tag))
            if rule is None or (depth and rule in ("words", "scanner")):
                continue
            try:
                element = source[tag]
                value = self._items(element.value, depth) if rule == "items" else None
                if value is None and rule != "items":
                    value = self._value(int(tag), rule, element.value)
                if value:
                    out.add(_element(int(tag), value))
            # An element that cannot be parsed is left behind; the reader asks for what it needs.
            except Exception:  # noqa: S112
                continue
        return out

    def _items(self, value: Any, depth: int) -> list[Dataset]:
        from pydicom import Dataset

        if depth >= _DEEPEST:
            return []
        return [self.level(item, depth + 1) for item in value or () if isinstance(item, Dataset)]

    def _value(self, tag: int, rule: str, value: Any) -> list[Any]:
        """Values of one element, as the rule says; empty when none may stay."""
        from pydicom.datadict import dictionary_VM, dictionary_VR
        from pydicom.multival import MultiValue

        values = list(value) if isinstance(value, MultiValue | list | tuple) else [value]
        values = [v for v in values if v is not None]
        most = dictionary_VM(tag).split("-")[-1]
        most_values = int(most) if most.isdigit() else _MOST_VALUES
        if len(values) > most_values:
            return []
        vr = dictionary_VR(tag)
        if rule in ("words", "scanner"):
            text = "\\".join(map(str, values))
            text = clean_scanner(text) if rule == "scanner" else clean_words(text)
            return [text] if text else []
        if rule == "uid":
            return [self.keyed.uid(str(v)) for v in values if str(v).strip(" \0")]
        if rule == "disguise":
            return [self._disguise(vr, str(v)) for v in values]
        one = self._shifted if rule == "shift" else _checked
        checked = [one(vr, v) for v in values]
        return [] if None in checked else checked

    def _disguise(self, vr: str, text: str) -> str:
        """Keep a known word; give every other its own stand-in."""
        name = text.strip().upper()
        if vr == "SH":
            return clean_kernel(text, self.keyed.word(name))
        parts = name.split(" ")
        if all(part in policy.TERMS for part in parts if part):
            return name
        return " ".join(dict.fromkeys(
            [*(part for part in parts if part in policy.TERMS), self.keyed.word(name)]
        ))[:16].strip()  # fmt: skip

    def _shifted(self, vr: str, value: Any) -> str | None:
        """Move a date back; times of day stay."""
        text = str(getattr(value, "original_string", value)).strip(" \0")
        if vr == "TM":
            match = _TIME.fullmatch(text.replace(":", ""))
            return match[1] if match else None
        match = _DATE_TIME.fullmatch(text.replace(".", "") if vr == "DA" else text)
        if match is None or (vr == "DA" and match[2]):
            return None
        moved = _date(match[1])
        if moved is None:
            return None
        moved -= self.shift
        return f"{moved.year:04d}{moved:%m%d}{match[2]}{match[3] or ''}"


def _checked(vr: str, value: Any) -> Any:
    """Give a value back if it is of its kind; nothing otherwise."""
    kinds = set(vr.split(" or "))
    if kinds & _WHOLE_NUMBERS:
        return int(value) if isinstance(value, int) else None
    if kinds & {"FL", "FD"}:
        return float(value) if isinstance(value, int | float) else None
    text = str(getattr(value, "original_string", value)).strip(" \0")
    if vr == "DS":
        return text if _DECIMAL.fullmatch(text) and len(text) <= 32 else None
    if vr == "IS":
        return text if _WHOLE.fullmatch(text) else None
    if vr == "UI":
        return text if _of_the_standard(text) else None
    words = text.upper().split()
    return text.upper() if words and all(word in policy.TERMS for word in words) else None


def _element(tag: int, value: Any) -> Any:
    """Make an element of the data dictionary's VR; values have been checked already."""
    from pydicom import Dataset, config
    from pydicom.datadict import dictionary_VR
    from pydicom.dataelem import DataElement
    from pydicom.sequence import Sequence

    if isinstance(value[0], Dataset):
        return DataElement(tag, "SQ", Sequence(value))
    held = value[0] if len(value) == 1 else value
    return DataElement(tag, dictionary_VR(tag), held, validation_mode=config.IGNORE)
