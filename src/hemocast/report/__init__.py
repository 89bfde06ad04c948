"""What people see: pictures, pages and the record of a prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hemocast.report.case.page import write_case_page
from hemocast.report.case.record import prediction_json
from hemocast.report.pictures.montage import write_montage, write_prediction_montage

if TYPE_CHECKING:
    from hemocast.report.demo import (
        DemoCohort,
        DemoExample,
        DemoHistory,
        DemoPart,
        DemoResult,
        write_demo_page,
    )

_LATE = frozenset(
    {"DemoCohort", "DemoExample", "DemoHistory", "DemoPart", "DemoResult", "write_demo_page"}
)

__all__ = [
    "DemoCohort",
    "DemoExample",
    "DemoHistory",
    "DemoPart",
    "DemoResult",
    "prediction_json",
    "write_case_page",
    "write_demo_page",
    "write_montage",
    "write_prediction_montage",
]


def __getattr__(name: str) -> object:
    # The demo's page brings in scipy, which a prediction can do without.
    if name in _LATE:
        from hemocast.report import demo

        return getattr(demo, name)
    raise AttributeError(name)
