"""What is not as it was in training, by name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from hemocast.evaluate.monitor.drift import Compared
from hemocast.evaluate.validation.likeness import count_doubted
from hemocast.evaluate.validation.result import Validated


def test_gate_and_features_that_alarm_are_named() -> None:
    compared = (
        Compared("probability", None, 0.5, alarm=False),
        Compared("infarct_ml", None, 0.001, alarm=True),
    )
    for doubted, named in ((count_doubted(100, 9), True), (count_doubted(100, 1), False)):
        found = cast("Any", SimpleNamespace(doubted=doubted, compared=compared))
        gate = ("scans that the model's gate doubts",) if named else ()
        assert cast("Any", Validated.drifted).fget(found) == (*gate, "infarct_ml")
