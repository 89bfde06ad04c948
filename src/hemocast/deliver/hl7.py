r"""A result as an HL7 v2.5.1 message ORU^R01, for interface engines that speak nothing else.

Values are escaped letter by letter (HL7 2.5.1, 2.7): a name with a bar, or a line end, is no new
field or segment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hemocast.deliver import codes
from hemocast.deliver.codes import Concept
from hemocast.deliver.context import PRODUCT, instance_uid, local_time, said
from hemocast.deliver.findings import Answer, Number, findings_of
from hemocast.deliver.result import Analysed, Kind, Refused, Result
from hemocast.dicom import make_uid
from hemocast.version import VERSION

if TYPE_CHECKING:
    from pydicom import Dataset

_ESCAPED = {"\\": "E", "|": "F", "^": "S", "&": "T", "~": "R"}
_ENDS = "\r"


@dataclass(frozen=True)
class Receiver:
    """Whom a message is for, and whom it names as its sender.

    Parameters
    ----------
    application, facility : str
        MSH-5 and MSH-6.
    sender, sender_facility : str
        MSH-3 and MSH-4.
    """

    application: str = ""
    facility: str = ""
    sender: str = "HEMOCAST"
    sender_facility: str = ""


def escaped(text: str) -> str:
    r"""Escape what separates fields, and every control character, as ``\Xhh\``."""
    return "".join(
        f"\\{_ESCAPED[letter]}\\"
        if letter in _ESCAPED
        else f"\\X{ord(letter):02X}\\"
        if ord(letter) < 32 or 127 <= ord(letter) < 160
        else letter
        for letter in text
    )


def make_message(result: Result, receiver: Receiver = Receiver()) -> str:
    """Make the message: segments that end with a carriage return; UTF-8 when it is encoded.

    Parameters
    ----------
    result : Result
        What is told.
    receiver : Receiver
        For the header.
    """
    first = result.first
    when = local_time(result).strftime("%Y%m%d%H%M%S")
    offset = local_time(result).strftime("%z")
    segments = [
        _header(result, receiver, when + offset),
        _segment("PID", "1", "", _patient_id(first), "", _name(first), "",
                 escaped(said(first, "PatientBirthDate")), escaped(said(first, "PatientSex"))),
        _segment("OBR", "1", *_order(result, when + offset)),
        *_results(result),
    ]  # fmt: skip
    return "".join(segment + _ENDS for segment in segments)


def control_id(message: str) -> str:
    """Return the control id of a message (MSH-10), which its acknowledgement repeats."""
    return message.split("|", 10)[9]


def _header(result: Result, receiver: Receiver, when: str) -> str:
    names = (receiver.sender, receiver.sender_facility, receiver.application, receiver.facility)
    number = int(make_uid("hemocast hl7", instance_uid(result, Kind.REPORT)).removeprefix("2.25."))
    processing = "T" if result.simulated else "P"
    fields = [
        "MSH", "^~\\&", *map(escaped, names), when, "", "ORU^R01^ORU_R01", f"{number:032x}"[:20],
        processing, "2.5.1", "", "", "", "", "", "UNICODE UTF-8",
    ]  # fmt: skip
    return "|".join(fields)


def _order(result: Result, when: str) -> tuple[str, ...]:
    """Fields 2 to 25 of OBR: the accession number files the result under the order."""
    first = result.first
    accession = escaped(said(first, "AccessionNumber"))
    taken = escaped(said(first, "StudyDate") + said(first, "StudyTime")[:6])
    fields = [""] * 24
    places = {2: accession, 3: accession, 4: _coded(codes.HEAD_CT), 7: taken, 18: accession,
              22: when, 24: "CT", 25: _status(result)}  # fmt: skip
    for number, value in places.items():
        fields[number - 2] = value
    return tuple(fields)


def _status(result: Result) -> str:
    """As table 0123 and 0085 have it: P preliminary, C corrects an earlier one, X none."""
    if isinstance(result.answer, Refused):
        return "X"
    return "C" if result.revision > 1 else "P"


def _results(result: Result) -> list[str]:
    answer = result.answer
    if isinstance(answer, Analysed):
        findings = findings_of(result, answer)
        numbers = (*findings.risk, *findings.infarct, *findings.brain)
        answers = (*findings.risk_answers, *findings.infarct_answers, *findings.brain_answers)
        texts = [(one.concept, one.text) for one in findings.remarks]
        rows = [*_numbers(numbers), *_answers(answers)]
    else:
        parts = (f"Not analysed ({answer.code}): {answer.seen}", answer.expected, answer.action)
        texts = [(codes.NOTICE, "Research only, not for clinical use.")]
        texts += [(codes.MISSING, part) for part in parts if part]
        rows = []
    uid = instance_uid(result, Kind.REPORT)
    texts.append((codes.REPORT_UID, uid))
    if result.model is not None:
        one = result.model
        texts.append((codes.ALGORITHM, f"{PRODUCT} {VERSION}, {one.name} {one.version} {one.hash}"))
    rows += [("ST", concept, escaped(text), "") for concept, text in texts]
    status = _status(result)
    return [
        _segment("OBX", str(number), kind, _coded(concept), "", value, unit, "", "", "", "", status)
        for number, (kind, concept, value, unit) in enumerate(rows, 1)
    ]


def _numbers(numbers: Iterable[Number]) -> list[tuple[str, Concept, str, str]]:
    rows = []
    for one in numbers:
        unit = _coded(one.unit)
        rows.append(("NM", one.concept, f"{one.value:g}", unit))
        for end, upper in ((one.low, False), (one.high, True)):
            if end is not None:
                rows.append(("NM", codes.end_of(one.concept, upper=upper), f"{end:g}", unit))
    return rows


def _answers(answers: Iterable[Answer]) -> list[tuple[str, Concept, str, str]]:
    return [("CWE", one.concept, _coded(one.value), "") for one in answers]


def _segment(*fields: str) -> str:
    return "|".join(fields).rstrip("|")


def _coded(concept: Concept) -> str:
    return "^".join(map(escaped, (concept.value, concept.meaning, concept.scheme)))


def _patient_id(header: Dataset) -> str:
    parts = (said(header, "PatientID"), "", "", said(header, "IssuerOfPatientID"), "MR")
    return "^".join(map(escaped, parts))


def _name(header: Dataset) -> str:
    """Write a name, its other spellings as repetitions: alphabetic, ideographic, phonetic."""
    spelled = []
    for group, code in zip(said(header, "PatientName").split("="), "AIP", strict=False):
        if group:
            family, given, middle, prefix, suffix = (*group.split("^"), *[""] * 5)[:5]
            parts = (family, given, middle, suffix, prefix, "", "L", code)
            spelled.append("^".join(map(escaped, parts)))
    return "~".join(spelled)
