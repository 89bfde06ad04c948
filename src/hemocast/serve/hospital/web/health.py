"""How the service does, in numbers: for the health page, and for Prometheus. No identifiers."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry
from sqlalchemy import ColumnElement, Connection, func, select

from hemocast.serve.hospital.store.jobs import State
from hemocast.serve.hospital.store.people import AUDIT_END
from hemocast.serve.hospital.store.tables import DELIVERIES, EVENTS, INSTANCES, JOBS
from hemocast.serve.hospital.web.desk import Desk
from hemocast.version import VERSION

_LAST = 500
"""Studies over which the time to a result is told."""


@dataclass(frozen=True)
class Health:
    """The service at one moment.

    Parameters
    ----------
    states : dict of str to int
        Studies by state, every state named.
    refusals : dict of str to int
        Studies refused, by code.
    failures : dict of str to int
        Studies that failed for good, by code.
    deliveries : dict of str to int
        Objects by state.
    seconds : tuple of float
        From the last slice to the result, ascending, of the last 500 studies with one.
    free_bytes : int
        On the disk of the data root.
    is_full : bool
        Images are turned away.
    unsent : int
        Entries of the audit log that wait for the collector.
    """

    states: dict[str, int]
    refusals: dict[str, int]
    failures: dict[str, int]
    deliveries: dict[str, int]
    seconds: tuple[float, ...]
    free_bytes: int
    is_full: bool
    unsent: int

    def quantile(self, share: float) -> float | None:
        """Give the time within which a share of the studies had a result."""
        if not self.seconds:
            return None
        return self.seconds[min(len(self.seconds) - 1, int(share * len(self.seconds)))]


def health_of(desk: Desk) -> Health:
    """Look at everything now."""
    with desk.database.reading() as connection:
        states = _counts(connection, JOBS.c.state)
        end = connection.execute(select(AUDIT_END)).one()
        return Health(
            states={state.value: states.get(state.value, 0) for state in State},
            refusals=_counts(connection, JOBS.c.code, JOBS.c.state == State.REFUSED),
            failures=_counts(connection, JOBS.c.code, JOBS.c.state == State.FAILED),
            deliveries=_counts(connection, DELIVERIES.c.state),
            seconds=tuple(sorted(_seconds(connection))),
            free_bytes=shutil.disk_usage(desk.root.folder).free,
            is_full=desk.root.is_full(),
            unsent=end.last - end.sent,
        )


def _counts(
    connection: Connection, column: ColumnElement[str], *wanted: ColumnElement[bool]
) -> dict[str, int]:
    counted = select(column, func.count()).where(*wanted).group_by(column)
    return {str(name): int(number) for name, number in connection.execute(counted)}


def _seconds(connection: Connection) -> Sequence[float]:
    results = (
        select(EVENTS.c.study, EVENTS.c.at)
        .where(EVENTS.c.kind.in_([State.PREDICTED, State.REFUSED]))
        .order_by(EVENTS.c.id.desc())
        .limit(_LAST)
    )
    done: dict[int, str] = {}
    for row in connection.execute(results):
        done.setdefault(row.study, row.at)
    last = (
        select(INSTANCES.c.study, func.max(INSTANCES.c.received_at))
        .where(INSTANCES.c.study.in_(done))
        .group_by(INSTANCES.c.study)
    )
    between = (_between(came, done[study]) for study, came in connection.execute(last))
    # A study whose late slices are not analysed yet has no result.
    return [seconds for seconds in between if seconds >= 0]


def _between(came: str, done: str) -> float:
    return (datetime.fromisoformat(done) - datetime.fromisoformat(came)).total_seconds()


class _Measures(Collector):
    """Tells the service's health to Prometheus."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> Iterable[Metric]:
        """Give all measures."""
        one = self._health
        yield _labelled("hemocast_info", "1, with the version", "version", {VERSION: 1})
        yield _labelled("hemocast_studies", "Studies by state", "state", one.states)
        yield _labelled("hemocast_refused_studies", "Refusals by code", "code", one.refusals)
        yield _labelled("hemocast_failed_studies", "Failures by code", "code", one.failures)
        yield _labelled("hemocast_deliveries", "Objects sent", "state", one.deliveries)
        times = {f"{share:g}": one.quantile(share) for share in (0.5, 0.95, 1.0)}
        yield _labelled(
            "hemocast_seconds_to_result",
            f"From the last slice to the result, of the last {_LAST} studies",
            "quantile",
            {name: value for name, value in times.items() if value is not None},
        )
        yield GaugeMetricFamily(
            "hemocast_disk_free_bytes", "Free on the data root's disk", value=one.free_bytes
        )
        yield GaugeMetricFamily(
            "hemocast_disk_full", "1: images are turned away", value=one.is_full
        )
        yield GaugeMetricFamily(
            "hemocast_audit_unsent", "Audit messages that wait for the collector", value=one.unsent
        )


def _labelled(name: str, told: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, told, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def measures(health: Health) -> bytes:
    """Write the service's health as Prometheus reads it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Measures(health))
    text: bytes = generate_latest(registry)
    return text
