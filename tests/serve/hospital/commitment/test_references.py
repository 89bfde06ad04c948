"""Requests and reports, there and back."""

from __future__ import annotations

import pytest
from pydicom import Dataset

from hemocast.errors import MalformedFile
from hemocast.serve.hospital.commitment.references import (
    Reference,
    Report,
    read_report,
    read_request,
    report_of,
    request_of,
)

ONE, TWO = Reference("1.2", "1.2.1"), Reference("1.2", "1.2.2")


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        (Report("1.9", frozenset({ONE, TWO}), {}), 1),
        (Report("1.9", frozenset({ONE}), {TWO: 0x0112}), 2),
        (Report("1.9", frozenset(), {ONE: 0x0112, TWO: 0x0119}), 2),
    ],
)
def test_a_report_is_read_as_it_was_made(report: Report, kind: int) -> None:
    told, information = report_of(report)
    assert (told, read_report(information)) == (kind, report)


def test_a_request_is_read_as_it_was_made() -> None:
    assert read_request(request_of("1.9", [ONE, TWO])) == ("1.9", (ONE, TWO))


@pytest.mark.parametrize("request_", [Dataset(), request_of("1.9", []), request_of("", [ONE])])
def test_a_request_without_transaction_or_objects_is_refused(request_: Dataset) -> None:
    with pytest.raises(MalformedFile, match="names no transaction, or no objects"):
        read_request(request_)
