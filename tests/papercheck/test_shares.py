from __future__ import annotations

from hemocast.papercheck.numbers import Printed, Rounded
from hemocast.papercheck.shares import check_interval, check_share, possible_n


def accuracy(n: tuple[int, int], text: str = "64.52") -> Printed:
    return Printed("T", "M", "accuracy", Rounded(text, "percent"), n=n)


def test_the_percentage_needs_31_or_62_cases() -> None:
    assert possible_n(Rounded("64.52", "percent"), 91) == [31, 62]
    printed = accuracy((61, 61))
    (finding,) = check_share(printed)
    assert finding.code == "impossible-share"
    assert "n = 31 or 62" in finding.arithmetic
    assert not list(check_share(accuracy((60, 62))))


def test_limits_in_another_unit_outside_and_on_steps() -> None:
    def codes(value: Rounded, low: Rounded, high: Rounded, n: tuple | None = None) -> dict:
        printed = Printed("T", "M", "accuracy", value, (low, high), n)
        return {f.code: f for f in check_interval(printed)}

    def percent(text: str) -> Rounded:
        return Rounded(text, "percent")

    assert set(codes(Rounded("0.842", "fraction"), percent("75.8"), percent("92.1"))) == {"ci-unit"}
    assert set(codes(percent("50.0"), percent("51.0"), percent("60.0"))) == {"ci-outside"}
    steps = codes(percent("74.52"), percent("63.9"), percent("83.2"), (60, 63))["ci-steps"]
    assert steps.arithmetic == "63.9 % = 39/61; 83.2 % = no k/n"
    assert steps.severity == "note"
