"""One scan: what is refused costs its page, a fault nothing, and a full disk the run."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from hemocast.errors import BloodPresent, NoSpace
from hemocast.model import Model, load_default
from hemocast.pipeline.scan_job import Pages, ScanJob, predict_scan


@dataclass
class Bad:
    """A scan that cannot be read."""

    error: Exception

    def read(self) -> None:
        raise self.error


@pytest.fixture(scope="module")
def model() -> Model:
    return load_default(threads=1)


def job(error: Exception, lang: str = "en") -> ScanJob:
    return ScanJob(3, "sub-1", "sub-1_ses-01", Bad(error), None, Pages(lang))  # type: ignore[arg-type]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_refused_scan_has_a_page_that_says_why_and_nothing_else(model: Model, lang: str) -> None:
    result, files = predict_scan(job(BloodPresent("Blood", "none", "Stop"), lang), model)
    assert (result.status, result.code, result.prediction) == ("refused", "HC303", None)
    assert (result.case, result.scan_id) == (3, "sub-1_ses-01")
    assert list(files) == ["report.html"]
    assert b"HC303" in files["report.html"]
    assert f'lang="{lang}'.encode() in files["report.html"]


def test_a_fault_of_ours_is_told_without_what_it_holds(model: Model) -> None:
    result, files = predict_scan(job(RuntimeError("DOE^JANE")), model)
    assert (result.status, result.code, files) == ("failed", "HC999", {})
    assert "DOE" not in result.message


def test_a_full_disk_ends_the_run(model: Model) -> None:
    with pytest.raises(NoSpace):
        predict_scan(job(NoSpace("Full", "room", "Free some")), model)
