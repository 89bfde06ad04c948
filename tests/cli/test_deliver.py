from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from pydicom import dcmread

from hemocast.deliver import Refused, Result
from hemocast.dicom import CTHeader, make_uid, write_ct
from hemocast.pipeline import deliver as story


def test_what_was_written_is_named_and_a_refusal_ends_with_4(
    hemocast: Callable[..., CompletedProcess[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:

    header = CTHeader("4711", "Doe^Jane", make_uid("s"), make_uid("t"))
    places = [(0, 0, 5 * z) for z in range(3)]
    paths = write_ct(
        np.zeros((3, 8, 8)), places, (1, 0, 0, 0, 1, 0), (1, 1), header, tmp_path / "ct"
    )

    told = Result(
        headers=tuple(dcmread(path, stop_before_pixels=True) for path in paths),
        answer=Refused("HC302", "There is no brain", "a head"),
        made=datetime(2026, 11, 29, tzinfo=UTC),
    )
    monkeypatch.setattr(story, "analyse_scan", lambda *_, **__: told)
    done = hemocast("deliver", tmp_path / "ct", "--out", tmp_path / "out")
    assert done.returncode == 4
    assert "HC302 Not analysed: There is no brain." in done.stdout
    assert f"{tmp_path / 'out' / 'capture.dcm'}\n" in done.stdout
    assert "identifiers" in done.stdout
    assert "4711" not in done.stdout + done.stderr
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == [
        "capture.dcm", "fhir.json", "oru.hl7",
    ]  # fmt: skip
