"""What a commitment is asked and told of: objects, by class and identifier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hemocast.errors import MalformedFile

if TYPE_CHECKING:
    from pydicom import Dataset

COMMITMENT = "1.2.840.10008.1.20.1"
"""Storage Commitment Push Model SOP Class."""
COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
ASK = 1
"""Action type of a request (PS3.4 table J.3-1)."""
ALL_KEPT, SOME_LACK = 1, 2
"""Event types of a report (PS3.4 table J.3-2)."""
_MOST = 20_000


@dataclass(frozen=True, order=True, repr=False)
class Reference:
    """An object.

    Parameters
    ----------
    sop_class, sop_uid : str
        UIDs.
    """

    sop_class: str
    sop_uid: str


@dataclass(frozen=True, repr=False)
class Report:
    """What is kept, and what is not.

    Parameters
    ----------
    transaction : str
        UID of the request.
    kept : frozenset of Reference
    lacking : dict of Reference to int
        Their failure reasons.
    """

    transaction: str
    kept: frozenset[Reference]
    lacking: Mapping[Reference, int]


def request_of(transaction: str, wanted: Iterable[Reference]) -> Dataset:
    """Make the action information of a request (PS3.4 table J.3-1)."""
    from pydicom import Dataset

    made = Dataset()
    made.TransactionUID = transaction
    made.ReferencedSOPSequence = [_item(one) for one in wanted]
    return made


def report_of(report: Report) -> tuple[int, Dataset]:
    """Make the event type and information of a report (PS3.4 table J.3-2)."""
    made = request_of(report.transaction, sorted(report.kept))
    if not report.lacking:
        return ALL_KEPT, made
    failed = []
    for one, reason in sorted(report.lacking.items()):
        item = _item(one)
        item.FailureReason = reason
        failed.append(item)
    made.FailedSOPSequence = failed
    if not report.kept:
        del made.ReferencedSOPSequence
    return SOME_LACK, made


def read_request(information: Dataset) -> tuple[str, tuple[Reference, ...]]:
    """Read a request: its transaction, and what it asks for.

    Raises
    ------
    MalformedFile
        It has no transaction, asks for nothing, or for more than a study can hold.
    """
    transaction = str(information.get("TransactionUID") or "")
    wanted = _references(information, "ReferencedSOPSequence")
    if not transaction or not wanted or len(wanted) > _MOST:
        raise MalformedFile(
            "A request for storage commitment names no transaction, or no objects",
            f"a transaction UID and 1 to {_MOST} objects",
            "Look at the settings of whoever asks",
        )
    return transaction, wanted


def read_report(information: Dataset) -> Report:
    """Read a report."""
    failed = information.get("FailedSOPSequence") or ()
    return Report(
        str(information.get("TransactionUID") or ""),
        frozenset(_references(information, "ReferencedSOPSequence")),
        {_reference(item): int(item.get("FailureReason") or 0x0110) for item in failed},
    )


def _references(information: Dataset, name: str) -> tuple[Reference, ...]:
    return tuple(_reference(item) for item in information.get(name) or ())


def _reference(item: Dataset) -> Reference:
    return Reference(
        str(item.get("ReferencedSOPClassUID") or ""),
        str(item.get("ReferencedSOPInstanceUID") or ""),
    )


def _item(one: Reference) -> Dataset:
    from pydicom import Dataset

    item = Dataset()
    item.ReferencedSOPClassUID = one.sop_class
    item.ReferencedSOPInstanceUID = one.sop_uid
    return item
