"""How often somebody may try in vain."""

from __future__ import annotations

from hemocast.serve.hospital.people.limits import Attempts


def test_a_name_waits_until_its_first_failure_is_old() -> None:
    at = [0.0]
    attempts = Attempts(3, lambda: at[0])
    for second in (0, 300, 600):
        at[0] = second
        assert attempts.begin("a")
    assert not attempts.begin("a")
    assert attempts.begin("b")
    at[0] = 901.0
    assert attempts.begin("a")
    assert not attempts.begin("a")  # the second is not old yet


def test_success_counts_not_or_forgets() -> None:
    attempts = Attempts(2)
    for _ in range(20):
        assert attempts.begin("a")
        attempts.succeeded("a", forget=False)
    assert attempts.begin("a")
    assert attempts.begin("a")
    assert not attempts.begin("a")
    attempts.succeeded("a", forget=True)
    assert attempts.begin("a")


def test_a_million_names_take_no_memory() -> None:
    attempts = Attempts(2)
    for number in range(10_500):
        attempts.begin(str(number))
    assert len(attempts._failed) == 10_000
