"""Studies analysed in another process: what ends it costs an attempt of one study."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread

from hemocast.classical.measured import MeasuredModel
from hemocast.dataset.pseudonym import scan_name
from hemocast.errors import ModelNotFound, NoMap, NoRecord, WorkerDied
from hemocast.serve.hospital.analyst import Looked, OtherProcess, check_models, look_at
from hemocast.serve.hospital.service import opened, running
from hemocast.serve.hospital.settings import AnalysisConfig, HospitalConfig

KEY = b"k" * 32


@pytest.fixture
def other() -> Iterator[OtherProcess]:
    with closing(OtherProcess(KEY, time_limit_s=120)) as made:
        yield made


def test_a_study_without_a_head_is_refused_by_its_code(
    small_study: Callable[..., list[Path]], tmp_path: Path
) -> None:
    small_study(tmp_path / "s", "P1", 3)
    looked = look_at(tmp_path / "s")
    assert (looked.scans, [refusal.code for refusal in looked.refusals]) == (0, ["HC205"])


def test_two_patients_in_one_study_are_refused(
    small_study: Callable[..., list[Path]], tmp_path: Path
) -> None:
    for path in small_study(tmp_path / "s", "P1", 3, series=2)[:1]:
        dataset = dcmread(path)
        dataset.PatientID = "P2"
        dataset.save_as(path)
    looked = look_at(tmp_path / "s")
    assert looked.scans == 0
    assert "HC202" in [refusal.code for refusal in looked.refusals]
    assert not any("P2" in str(refusal) for refusal in looked.refusals)


def test_a_folder_of_nothing_is_refused(tmp_path: Path) -> None:
    looked = look_at(tmp_path)
    assert (looked.scans, len(looked.refusals)) == (0, 1)


@pytest.mark.parametrize(
    ("view", "refusal", "said"),
    [("record", NoRecord, "clinical record"), ("map", NoMap, "co-registered map")],
)
def test_a_model_that_must_be_told_more_is_refused_before_any_study_comes(
    monkeypatch: pytest.MonkeyPatch, view: str, refusal: type[Exception], said: str
) -> None:
    import hemocast.model

    usual = hemocast.model.load_default()
    told = replace(usual, measured=MeasuredModel((view,), object()))
    monkeypatch.setattr(hemocast.model, "load", lambda path: told if path.name == "x" else usual)
    check_models(AnalysisConfig(model="usual", rules=[{"site": ["A"], "skip": "not here"}]))
    with pytest.raises(refusal, match=f"analysis.model needs .*{said}"):
        check_models(AnalysisConfig(model="x"))
    with pytest.raises(refusal, match=f"analysis.rules needs .*{said}"):
        check_models(AnalysisConfig(rules=[{"site": ["A"], "model": "x"}]))


def test_a_model_that_is_not_there_is_refused_before_any_study_comes(
    settings: Callable[..., HospitalConfig], tmp_path: Path
) -> None:
    asked = settings(analysis={"model": str(tmp_path / "none")})
    with opened(asked) as office, pytest.raises(ModelNotFound), running(office):
        pass


@pytest.mark.slow
def test_a_real_head_is_predicted_and_a_process_that_is_killed_is_replaced(
    other: OtherProcess, ge_head: Path
) -> None:
    assert other.look(ge_head) == Looked(1)
    (child,) = other._pool._processes
    os.kill(child, signal.SIGKILL)
    with pytest.raises(WorkerDied):
        other.predict(ge_head, "", 1)
    (finding,) = other.predict(ge_head, "", 1)
    assert finding.result.status == "done"
    assert finding.result.prediction.scan_id == finding.result.scan_id != scan_name(KEY, "")
    assert "prediction.json" in finding.files
    assert {"capture.dcm", "report.dcm"} <= set(finding.objects)


@pytest.mark.slow
def test_a_study_that_takes_too_long_is_given_up(ge_head: Path) -> None:
    with (
        closing(OtherProcess(KEY, time_limit_s=0.01)) as other,
        pytest.raises(WorkerDied, match="TimeoutError"),
    ):
        other.predict(ge_head, "", 1)
