"""How the service does, in numbers."""

from __future__ import annotations

import pytest

from hemocast.serve.hospital.web.health import Health, health_of

from .conftest import Hospital


def test_an_empty_service_counts_nothing(hospital: Hospital) -> None:
    health = health_of(hospital.desk)
    assert set(health.states.values()) == {0}
    assert (health.seconds, health.quantile(0.5)) == ((), None)
    assert not health.is_full
    assert health.unsent == 3  # three accounts were added


def test_studies_are_counted_by_state_and_code(hospital: Hospital) -> None:
    for number, (state, code) in enumerate(
        [("refused", "HC207"), ("refused", "HC207"), ("refused", "rule"), ("failed", "HC008")], 1
    ):
        hospital.set(hospital.arrive(number), state, code)
    health = health_of(hospital.desk)
    assert health.refusals == {"HC207": 2, "rule": 1}
    assert health.failures == {"HC008": 1}
    assert (health.states["refused"], health.states["received"]) == (3, 0)
    assert len(health.seconds) == 3, "of what failed there is no result"


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.5, 3.0), (0.95, 4.0), (1.0, 4.0)])
def test_a_quantile_is_one_of_the_times(share: float, value: float) -> None:
    health = Health({}, {}, {}, {}, (1.0, 2.0, 3.0, 4.0), 0, False, 0)
    assert health.quantile(share) == value
