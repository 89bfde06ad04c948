"""Messages of RFC 5424. What arrives over UDP, TCP and TLS: `test_export.py`."""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime

import pytest

from hemocast.serve.hospital.people.settings import CollectorConfig
from hemocast.serve.hospital.people.syslog import Collector, syslog_line

AT = datetime(2026, 11, 29, 12, 0, 1, 5000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("host", "shown"), [("ct-gw.local", "ct-gw.local"), ("", "-"), ("a b\ncé", "abc")]
)
def test_a_message_has_the_form_of_the_standard(host: str, shown: str) -> None:
    line = syslog_line(b"<x/>", AT, host)
    head = rf"<85>1 2026-11-29T12:00:01\.005\+00:00 {shown} hemocast \d+ DICOM\+RFC3881 - "
    assert re.fullmatch(head.encode() + b"\xef\xbb\xbf<x/>", line)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_collector_that_is_away_is_an_error_of_the_system(transport: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = CollectorConfig(host="127.0.0.1", port=port, transport=transport)
    with pytest.raises(OSError, match="refused"), Collector(settings):
        pass
