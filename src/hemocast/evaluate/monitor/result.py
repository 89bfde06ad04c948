"""What came out of looking at a silent trial."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hemocast.evaluate.inputs.history import TimeArray
from hemocast.stats import Estimate
from hemocast.stats.cusum import CusumChart, Shift
from hemocast.stats.drift import Drift

Time = np.datetime64


@dataclass(frozen=True)
class Period:
    """Scans that arrived within some weeks.

    Parameters
    ----------
    start, end : datetime64
        The end is not within.
    done, refused, failed, waiting : int
        Scans by what became of them.
    """

    start: Time
    end: Time
    done: int
    refused: int
    failed: int
    waiting: int

    @property
    def n(self) -> int:
        """All scans."""
        return self.done + self.refused + self.failed + self.waiting


@dataclass(frozen=True)
class Delay:
    """Minutes from the last slice, or from arrival where that is not known, to the result.

    Parameters
    ----------
    since : str
        The column that it is counted from.
    n : int
        Results with both times.
    median, p90, longest : float
        Minutes.
    backwards : int
        Results left out, since they came before what they are counted from: a clock went wrong.
    """

    since: str
    n: int
    median: float
    p90: float
    longest: float
    backwards: int


@dataclass(frozen=True)
class Traffic:
    """What arrived and what became of it.

    Parameters
    ----------
    whole : Period
        All of it.
    periods : tuple of Period
        Look by look.
    n_patients : int
        Patients.
    refusals : tuple of (str, int)
        Codes and scans, the most frequent first.
    delay : Delay or None
        None where no result has both times.
    """

    whole: Period
    periods: tuple[Period, ...]
    n_patients: int
    refusals: tuple[tuple[str, int], ...]
    delay: Delay | None


@dataclass(frozen=True)
class Look:
    """One feature of the scans of some weeks beside the reference.

    Parameters
    ----------
    start, end : datetime64
        Of the scans; the end is not within.
    feature : str
        Its name.
    drift : Drift or None
        None where there are too few values.
    p : float
        Adjusted after Holm over the features of these weeks; NaN where there are too few.
    alarm : bool
        `p` is below the level of one look.
    """

    start: Time
    end: Time
    feature: str
    drift: Drift | None
    p: float
    alarm: bool


@dataclass(frozen=True)
class Reference:
    """What scans are compared with.

    Parameters
    ----------
    name : str
        A table's, or "" for the first weeks of the history.
    n : int
        Scans of patients, one each.
    until : datetime64 or None
        The end of the first weeks.
    """

    name: str
    n: int
    until: Time | None


@dataclass(frozen=True)
class Performance:
    """How the model did on some patients.

    Parameters
    ----------
    name : str
        Of the group or time.
    n, n_events : int
        Patients with a known outcome, and with HT.
    expected : float
        Events that the probabilities add up to.
    ratio : Estimate or None
        Observed by expected.
    auc : Estimate or None
        None where all have one outcome.
    """

    name: str
    n: int
    n_events: int
    expected: float
    ratio: Estimate | None
    auc: Estimate | None


@dataclass(frozen=True)
class Chart:
    """A cumulative sum of the outcomes.

    Parameters
    ----------
    looks_for : str
        ``"more"`` or ``"fewer"`` events than are predicted, or ``"less told"``: risks that tell
        patients apart less than they say.
    shift : Shift
        The same in numbers.
    chart : CusumChart
        Over `times`.
    times : ndarray of datetime64, shape (n,)
        When each outcome was known.
    """

    looks_for: str
    shift: Shift
    chart: CusumChart
    times: TimeArray

    @property
    def alarmed_at(self) -> Time | None:
        """When the limit was reached first."""
        return None if self.chart.alarm is None else self.times[self.chart.alarm]

    @property
    def since(self) -> Time | None:
        """When what led to the alarm began, most likely."""
        return None if self.chart.since is None else self.times[self.chart.since]


@dataclass(frozen=True)
class Followed:
    """The model against outcomes.

    Parameters
    ----------
    whole : Performance
        All patients with a known outcome.
    periods : tuple of Performance
        Quarter by quarter, as outcomes became known.
    groups : tuple of (str, tuple of Performance)
        By scanner and site.
    charts : tuple of Chart
        Three.
    grades : tuple of (str, int)
        Of those with HT.
    unknown : int
        Patients with a result whose outcome is not known.
    unmatched : int
        Outcomes of scans that the history does not have.
    """

    whole: Performance
    periods: tuple[Performance, ...]
    groups: tuple[tuple[str, tuple[Performance, ...]], ...]
    charts: tuple[Chart, ...]
    grades: tuple[tuple[str, int], ...]
    unknown: int
    unmatched: int

    @property
    def alarms(self) -> tuple[Chart, ...]:
        """Charts that reached their limit."""
        return tuple(chart for chart in self.charts if chart.chart.alarm is not None)


@dataclass(frozen=True)
class MonitorOptions:
    """How to look.

    Parameters
    ----------
    weeks : int
        Of one look.
    first_weeks : int
        Of the history, to which later ones are compared where there is no other reference.
    level : float
        Chance of a false alarm of drift within a year, and of the charts within `horizon`.
    horizon : int
        Outcomes for which the charts' chance holds.
    seed : int
        Of the charts' limits.
    """

    weeks: int = 4
    first_weeks: int = 12
    level: float = 0.05
    horizon: int = 500
    seed: int = 0


@dataclass(frozen=True)
class Monitored:
    """A silent trial as it stands.

    Parameters
    ----------
    options : MonitorOptions
        How it was looked at.
    simulated : bool
        Any of the scans, or the reference, are.
    traffic : Traffic
    reference : Reference
    looks : tuple of Look
        By time, then feature.
    followed : Followed or None
        Where outcomes are known.
    """

    options: MonitorOptions
    simulated: bool
    traffic: Traffic
    reference: Reference
    looks: tuple[Look, ...]
    followed: Followed | None

    @property
    def drifted(self) -> tuple[Look, ...]:
        """Looks with an alarm."""
        return tuple(look for look in self.looks if look.alarm)

    @property
    def alarmed(self) -> bool:
        """Whether anything gave an alarm."""
        return bool(self.drifted or (self.followed and self.followed.alarms))
