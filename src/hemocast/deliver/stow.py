"""Objects to an archive by STOW-RS: taken is what its answer lists, and nothing else.

Credentials, where a server wants any, come from the user's ``~/.netrc``; they are never part of an
address.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

from hemocast.deliver.objects import encoded
from hemocast.dicom.files.dicomweb import client_class, quiet
from hemocast.errors import HemocastError, PeerRefused

if TYPE_CHECKING:
    from pydicom import Dataset

_CONNECT_S, _TIMEOUT_S = 10.0, 120.0


def store(objects: Iterable[Dataset], address: str, *, timeout_s: float = _TIMEOUT_S) -> None:
    """Send objects of one study and check that every one was stored (PS3.18, 10.5.3).

    Parameters
    ----------
    objects : iterable of pydicom.Dataset
        From `hemocast.deliver.make_objects`.
    address : str
        Base of the DICOMweb service, ``https://host/dicom-web``.
    timeout_s : float
        How long it may be silent.

    Raises
    ------
    MissingExtra
        The client is not installed.
    PeerRefused
        The archive does not answer, refuses an object, or does not list it as stored. What it did
        store is stored: sent again, the same objects have the same UIDs.
    """
    from pydicom import dcmread

    web_client = client_class()
    sent = [dcmread(io.BytesIO(encoded(dataset))) for dataset in objects]
    try:
        with quiet():
            waits = min(_CONNECT_S, timeout_s), timeout_s
            client = web_client(url=address.rstrip("/"), timeout=waits, permissive_uid=True)
            # Whoever sends knows when to try again, and how often.
            client.set_http_retry_params(retry=False)
            answer = client.store_instances(sent)
            _check(answer, {str(dataset.SOPInstanceUID) for dataset in sent})
    except HemocastError:
        raise
    # Connection, HTTP status, multipart and DICOM each raise errors of their own.
    except Exception as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        told = f"status {status}" if isinstance(status, int) else type(error).__name__
        raise _refused(f"The archive does not take the objects ({told})") from None


def _check(answer: Dataset, sent: set[str]) -> None:
    failed = list(answer.get("FailedSOPSequence") or ())
    reasons = sorted({int(item.get("FailureReason") or 0) for item in failed})
    if failed:
        told = ", ".join(f"{reason:04X}" for reason in reasons)
        raise _refused(f"The archive refuses {len(failed)} of {len(sent)} objects ({told})")
    stored = {
        str(item.get("ReferencedSOPInstanceUID"))
        for item in answer.get("ReferencedSOPSequence") or ()
    }
    if lacking := len(sent - stored):
        raise _refused(f"The archive does not say that it stored {lacking} of {len(sent)} objects")


def _refused(seen: str) -> PeerRefused:
    return PeerRefused(
        seen, "an answer that lists every object as stored", "Look into the archive's log"
    )
