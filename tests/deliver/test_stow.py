"""A real Orthanc takes the objects; an answer that lacks one, or lists a failed one, is refused."""

from __future__ import annotations

import io
import json
import socket
import urllib.error
import urllib.request

import pytest
from pydicom import Dataset, dcmread

from hemocast.deliver import Result, make_objects
from hemocast.deliver.stow import store
from hemocast.errors import PeerRefused

pytest.importorskip("dicomweb_client", reason="the extra 'serve' is not installed")


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def ask(address: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=10) as answer:
        return bytes(answer.read())


def test_an_archive_holds_each_object_once_however_often_it_is_sent(
    orthanc: str, result: Result
) -> None:
    objects = make_objects(result)
    for _ in range(2):
        store(objects.values(), f"{orthanc}/dicom-web")
    study = result.first.StudyInstanceUID
    found = json.loads(ask(f"{orthanc}/dicom-web/studies/{study}/instances"))
    uids = sorted(one["00080018"]["Value"][0] for one in found)
    assert uids == sorted(str(dataset.SOPInstanceUID) for dataset in objects.values())
    for name in json.loads(ask(f"{orthanc}/instances")):
        kept = dcmread(io.BytesIO(ask(f"{orthanc}/instances/{name}/file")))
        assert kept.PatientID == result.first.PatientID


def test_an_archive_that_is_not_there_is_refused(refused: Result) -> None:
    with pytest.raises(PeerRefused, match="does not take"):
        store(make_objects(refused).values(), f"http://127.0.0.1:{free_port()}/dicom-web")


@pytest.mark.parametrize("failing", [True, False])
def test_only_what_the_answer_lists_as_stored_counts(
    refused: Result, monkeypatch: pytest.MonkeyPatch, failing: bool
) -> None:
    import dicomweb_client

    answer, item = Dataset(), Dataset()
    item.FailureReason = 0xA700
    answer.FailedSOPSequence = [item] if failing else []
    answer.ReferencedSOPSequence = []
    monkeypatch.setattr(dicomweb_client.DICOMwebClient, "store_instances", lambda *_, **__: answer)
    why = r"refuses 1 of 1 objects \(A700\)" if failing else "does not say that it stored 1 of 1"
    with pytest.raises(PeerRefused, match=why):
        store(make_objects(refused).values(), "http://127.0.0.1:9/dicom-web")
