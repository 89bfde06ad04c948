"""Results to a hospital's endpoints: FHIR by HTTP, HL7 by MLLP. Only an answer counts as taken.

Messages of errors name neither the receiver's words nor the patient: an answer may repeat both.
"""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from hemocast.deliver.hl7 import control_id
from hemocast.errors import PeerRefused, UsageError

_BEGIN, _END = b"\x0b", b"\x1c\x0d"
_MOST_ANSWER = 1_000_000
_TIMEOUT_S = 30.0
_TAKEN = ("AA", "CA")


def post_bundle(
    bundle: Mapping[str, Any], address: str, *, token: str = "", timeout_s: float = _TIMEOUT_S
) -> None:
    """Send a FHIR bundle; every entry must have been taken.

    Parameters
    ----------
    bundle : mapping
        From `hemocast.deliver.fhir.make_bundle`.
    address : str
        Base of the server, ``https://...``; ``http://`` where the network is trusted.
    token : str
        Bearer token, where the server wants one.
    timeout_s : float
        For the connection, and for every piece of the answer.

    Raises
    ------
    UsageError
        The address is no web address.
    PeerRefused
        It does not answer, or does not take all of it.
    """
    if not address.startswith(("http://", "https://")):
        raise UsageError(
            "The FHIR server's address is no web address", "https://...", "Correct the address"
        )
    headers = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    body = json.dumps(bundle).encode()
    request = urllib.request.Request(address, body, headers, method="POST")  # noqa: S310 - checked
    # No redirect: it would take the token, and the patient, to a place nobody named.
    opener = urllib.request.build_opener(_Stay)
    try:
        with opener.open(request, timeout=timeout_s) as answer:
            found = json.loads(answer.read(_MOST_ANSWER) or b"{}")
    except urllib.error.HTTPError as error:
        raise _refused(f"The FHIR server answers with status {error.code}") from None
    except (OSError, ValueError) as error:
        raise _refused(f"The FHIR server gives no answer ({type(error).__name__})") from None
    _check_entries(found, len(bundle["entry"]))


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect."""

    def redirect_request(self, *_: Any) -> None:
        """Give no request to follow with."""


def _check_entries(found: Any, sent: int) -> None:
    entries = found.get("entry") if isinstance(found, dict) else None
    if not isinstance(entries, list) or len(entries) != sent:
        raise _refused("The FHIR server does not answer for every resource")
    states = [
        str((one.get("response") or {}).get("status", "")) if isinstance(one, dict) else ""
        for one in entries
    ]
    bad = sum(not state.startswith("2") for state in states)
    if bad:
        raise _refused(f"The FHIR server did not take {bad} of {sent} resources")


def send_message(message: str, host: str, port: int, *, timeout_s: float = _TIMEOUT_S) -> None:
    """Send an HL7 message by MLLP and wait for its acknowledgement.

    Parameters
    ----------
    message : str
        From `hemocast.deliver.hl7.make_message`.
    host, port : str and int
        Of the interface engine.
    timeout_s : float
        For all of it.

    Raises
    ------
    PeerRefused
        It does not answer in time, answers for another message, or does not take it.
    """
    until = time.monotonic() + timeout_s
    try:
        with socket.create_connection((host, port), timeout_s) as line:
            line.sendall(_BEGIN + message.encode() + _END)
            answer = _received(line, until)
    except OSError as error:
        raise _refused(f"The HL7 receiver gives no answer ({type(error).__name__})") from None
    code, answered = _acknowledged(answer)
    if answered != control_id(message):
        raise _refused("The HL7 receiver answers for another message")
    if code not in _TAKEN:
        known = code if code in ("AE", "AR", "CE", "CR") else "no known code"
        raise _refused(f"The HL7 receiver does not take the message ({known})")


def _received(line: socket.socket, until: float) -> bytes:
    got = b""
    while _END not in got and len(got) < _MOST_ANSWER:
        line.settimeout(max(until - time.monotonic(), 0.001))
        piece = line.recv(65536)
        if not piece:
            break
        got += piece
    begin, end = got.find(_BEGIN), got.find(_END)
    return got[begin + 1 : end] if 0 <= begin < end else b""


def _acknowledged(answer: bytes) -> tuple[str, str]:
    """Return MSA-1 and MSA-2 of an acknowledgement; "" where there is none."""
    for segment in answer.decode("utf-8", "replace").split("\r"):
        fields = segment.split("|")
        if fields[0] == "MSA" and len(fields) > 2:
            return fields[1], fields[2]
    return "", ""


def _refused(seen: str) -> PeerRefused:
    return PeerRefused(
        seen, "an answer that it was taken", "Look into the receiver's log, and send it again"
    )
