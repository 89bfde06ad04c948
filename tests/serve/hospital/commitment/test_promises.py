"""Whoever sent images asks whether they are here: what is told is true, and says how many come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pydicom import dcmread
from pynetdicom import AE, evt

from hemocast.serve.hospital.commitment.references import (
    COMMITMENT,
    COMMITMENT_INSTANCE,
    Reference,
    Report,
    read_report,
    request_of,
)
from hemocast.serve.hospital.store.jobs import State

Serve = Callable[..., AbstractContextManager[object]]
Study = Callable[..., list[Path]]
CT = "1.2.840.10008.5.1.4.1.1.2"
ON = {"port": 0, "commitment": True}


def references(images: Sequence[Path]) -> list[Reference]:
    found = [dcmread(image, stop_before_pixels=True) for image in images]
    return [Reference(str(one.SOPClassUID), str(one.SOPInstanceUID)) for one in found]


def ask(port: int, wanted: Sequence[Reference]) -> tuple[int, Report | None]:
    """Ask as a modality that waits for the report on its own association."""
    told: list[Report] = []
    heard = threading.Event()

    def report(event: evt.Event) -> tuple[int, None]:
        told.append(read_report(event.event_information))
        return 0, None

    def sent(_event: evt.Event) -> None:
        if told:  # and the report has been answered
            heard.set()

    entity = AE("CT1")
    entity.add_requested_context(COMMITMENT)
    handlers = [(evt.EVT_N_EVENT_REPORT, report), (evt.EVT_DIMSE_SENT, sent)]
    association = entity.associate("127.0.0.1", port, ae_title="HEMOCAST", evt_handlers=handlers)
    assert association.is_established
    request = request_of("1.2.3", wanted)
    status, _ = association.send_n_action(request, 1, COMMITMENT, COMMITMENT_INSTANCE)
    if status.Status == 0:
        assert heard.wait(10)
    association.release()
    return status.Status, told[0] if told else None


def test_orthanc_is_told_that_its_images_are_here(
    serve: Serve, pacs: object, small_study: Study, tmp_path: Path
) -> None:
    images = small_study(tmp_path / "s", "P1", 3)
    peers = {"peers": [pacs.as_peer()]}
    with serve(node=ON, delivery=peers, jobs={"settle_s": 3600, "told_s": 0}) as service:
        pacs.know(service.port)
        names = [pacs.ask("/instances", "POST", image.read_bytes())["ID"] for image in images]
        pacs.ask("/modalities/hemocast/store", "POST", names[:2])
        asking = "/modalities/hemocast/storage-commitment"
        transaction = pacs.ask(asking, "POST", {"Resources": names})["ID"]
        until = time.monotonic() + 10
        while (found := pacs.ask(f"/storage-commitment/{transaction}"))["Status"] == "Pending":
            assert time.monotonic() < until
        assert found["Status"] == "Failure"
        lacking = found["Failures"][0]
        assert (lacking["SOPInstanceUID"], lacking["FailureReason"]) == (
            references(images)[2].sop_uid, 0x0112,
        )  # fmt: skip
        assert len(found["Success"]) == 2
        # Three are to come: with the third, and not before, the study is complete.
        assert service.office.jobs.get(1).state is State.RECEIVED
        pacs.ask("/modalities/hemocast/store", "POST", names[2:])
        assert service.wait_done(1)[0].images == 3


def test_a_modality_that_nobody_knows_is_told_over_its_own_association(
    serve: Serve, dcmtk: Callable[..., object], small_study: Study, tmp_path: Path
) -> None:
    images = small_study(tmp_path / "s", "P1", 2)
    wanted = references(images)
    other = Reference("1.2.840.10008.5.1.4.1.1.4", wanted[0].sop_uid)
    with serve(node=ON) as service:
        dcmtk("storescu", service.port, *images)
        assert ask(service.port, wanted) == (0, Report("1.2.3", frozenset(wanted), {}))
        assert service.office.jobs.get(1).expected == 2
        assert ask(service.port, [other]) == (0, Report("1.2.3", frozenset(), {other: 0x0119}))


@pytest.mark.parametrize(("on", "status"), [(True, 0x0115), (False, 0x0124)])
def test_a_request_for_nothing_or_that_was_not_asked_for_is_refused(
    serve: Serve, on: bool, status: int
) -> None:
    with serve(node={"port": 0, "commitment": on}) as service:
        assert ask(service.port, ()) == (status, None)
