"""Results to other systems than DICOM nodes: FHIR by HTTP, HL7 v2 by MLLP, objects by STOW-RS.

Taken is what the other side says that it has taken, by its status or acknowledgement, as
`hemocast.deliver.send` and `hemocast.deliver.stow` read it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from hemocast.deliver.send import post_bundle, send_message
from hemocast.errors import HemocastError
from hemocast.pipeline.deliver import FHIR, HL7
from hemocast.serve.hospital.peers import Sent
from hemocast.serve.hospital.people.settings import read_secret
from hemocast.serve.hospital.settings import Endpoint

_OF_KIND = {"fhir": FHIR, "hl7": HL7}


def is_for(kind: str, file: str) -> bool:
    """Tell whether a file of a result is for a kind of destination: ``dicom``, or an endpoint's."""
    return file.endswith(_OF_KIND.get(kind, ".dcm"))


def post(endpoint: Endpoint, files: Sequence[Path], timeout_s: float) -> Iterator[Sent]:
    """Send files; as for `hemocast.serve.hospital.peers.Caller.store`.

    Yields
    ------
    Sent
        One for each file, in their order, as soon as it is known.
    """
    for file in files:
        try:
            _post(endpoint, file, timeout_s)
        except HemocastError as error:
            yield Sent(file, False, error.seen)
        else:
            yield Sent(file, True, "acknowledged")


def _post(endpoint: Endpoint, file: Path, timeout_s: float) -> None:
    if endpoint.kind == "fhir":
        bundle = json.loads(file.read_bytes())
        post_bundle(bundle, endpoint.address, token=_token(endpoint), timeout_s=timeout_s)
    elif endpoint.kind == "hl7":
        to = urlsplit(endpoint.address)
        message = file.read_bytes().decode()
        send_message(message, to.hostname or "", to.port or 0, timeout_s=timeout_s)
    else:
        from pydicom import dcmread

        from hemocast.deliver.stow import store

        store([dcmread(file)], endpoint.address, timeout_s=timeout_s)


def _token(endpoint: Endpoint) -> str:
    if endpoint.token is None:
        return ""
    return read_secret(endpoint.token, f"delivery.endpoints, {endpoint.name}")
