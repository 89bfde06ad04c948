"""Which scans may teach a model, and why the others may not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from hemocast.config import Settings
from hemocast.dataset.cohort.balance import TimeBalance, compare_scan_times
from hemocast.dataset.cohort.treatment import staining_possible
from hemocast.errors import TooFewPatients

if TYPE_CHECKING:
    import pandas as pd

    from hemocast.dataset.cohort.choose import Tables


class EligibilityConfig(Settings):
    """Who enters. The paper gives none of these numbers; all are this project's."""

    window_start_hours: float = Field(0.0, ge=0, description="earliest scan after onset, hours")
    window_end_hours: float = Field(72.0, gt=0, description="latest scan after onset, hours")
    follow_up_hours: float = Field(
        24.0, ge=0, description="without HT: imaging at least this long after the scan, hours"
    )
    horizon_hours: float = Field(
        336.0, gt=0, description="HT counts until this long after onset, hours"
    )

    @model_validator(mode="after")
    def _times_are_ordered(self) -> EligibilityConfig:
        if not self.window_start_hours < self.window_end_hours <= self.horizon_hours:
            raise ValueError("window_start_hours < window_end_hours <= horizon_hours must hold")
        return self


_CAUSES = 3
_LACKING = {
    "no label": ("label",),
    "HT without a time of detection": ("ht_detected_hours",),
    "no time from onset to scan": ("onset_to_first_scan_hours",),
}
"""Columns whose absence is a reason."""


@dataclass(frozen=True)
class FlowStep:
    """One step of the flow: a reason, what it cost, and what it left.

    A scan is counted under the first reason that applies; a patient under the reason that took the
    last of their scans.
    """

    reason: str
    patients: int
    scans: int
    patients_left: int
    scans_left: int


@dataclass(frozen=True)
class Eligible:
    """The scans that entered, and how the others fell out.

    Parameters
    ----------
    scans : DataFrame
        ``participant_id, scan_id, label`` (int), ``hours_from_onset``, ``hours_to_ht`` (missing
        without HT), ``staining_possible`` (boolean, missing where not known).
    excluded : DataFrame
        ``participant_id, scan_id, reason``.
    flow : tuple of FlowStep
        First all participants, then each reason, also those that cost nothing.
    times : TimeBalance
        When scans of both classes were taken.
    """

    scans: pd.DataFrame
    excluded: pd.DataFrame
    flow: tuple[FlowStep, ...]
    times: TimeBalance

    @cached_property
    def labels(self) -> dict[str, int]:
        """participant_id -> 1 (HT) or 0 (no HT) of everybody with a scan that entered."""
        people = self.scans.drop_duplicates("participant_id")
        return dict(zip(people["participant_id"], people["label"].tolist(), strict=True))


def select_scans(tables: Tables, config: EligibilityConfig | None = None) -> Eligible:
    """Choose the scans from which HT is to be predicted.

    The window from onset to scan is the same for both classes. A patient's first scan must be free
    of hemorrhage; every later scan before HT was detected may enter. Without HT, some imaging must
    lie at least ``follow_up_hours`` after the scan and within the horizon. A scan whose blood is
    not known (``blood`` is ``n/a``) counts as free of it.

    Parameters
    ----------
    tables : Tables
        Checked tables.
    config : EligibilityConfig, optional
        The numbers.

    Raises
    ------
    TooFewPatients
        A class has no scan left; the message holds the flow.
    """
    import pandas as pd

    config = config or EligibilityConfig()
    scans = _joined(tables)
    reason = pd.Series(pd.NA, index=scans.index, dtype="object")
    everybody = len(tables.participants)
    flow = [FlowStep("all participants", 0, 0, everybody, len(scans))]
    left = scans["participant_id"].nunique()
    flow.append(FlowStep("no scan in the dataset", everybody - left, 0, left, len(scans)))
    for name, applies in _reasons(scans, config).items():
        hit = reason.isna() & applies.fillna(False).astype(bool)
        reason[hit] = name
        kept = scans.loc[reason.isna(), "participant_id"]
        flow.append(
            FlowStep(name, left - kept.nunique(), int(hit.sum()), kept.nunique(), len(kept))
        )
        left = kept.nunique()
    excluded = scans.loc[reason.notna(), ["participant_id", "scan_id"]].assign(reason=reason)
    chosen = scans.loc[reason.isna()]
    _need_both_classes(chosen, flow)
    entered = pd.DataFrame(
        {
            "participant_id": chosen["participant_id"],
            "scan_id": chosen["scan_id"],
            "label": chosen["label"].astype(int),
            "hours_from_onset": chosen["hours_from_onset"],
            "hours_to_ht": chosen["ht_detected_hours"] - chosen["hours_from_onset"],
            "staining_possible": chosen["staining_possible"],
        }
    ).reset_index(drop=True)
    times = compare_scan_times(
        entered["participant_id"], entered["label"], entered["hours_from_onset"]
    )
    return Eligible(entered, excluded.reset_index(drop=True), tuple(flow), times)


def _joined(tables: Tables) -> pd.DataFrame:
    """Scans in the order of time, with what their patient's labels say."""
    scans = tables.scans[
        ["participant_id", "scan_id", "hours_from_onset", "hours_from_first", "blood"]
    ].copy()
    scans["staining_possible"] = staining_possible(tables)
    labels = tables.labels[["participant_id", "label", "ht_detected_hours", "last_imaging_hours"]]
    scans = scans.merge(labels, on="participant_id", how="left")
    order = ["participant_id", "hours_from_onset", "hours_from_first", "scan_id"]
    return scans.sort_values(order, ignore_index=True)


def _reasons(scans: pd.DataFrame, config: EligibilityConfig) -> dict[str, pd.Series]:
    """Every reason with the scans to which it applies, in the order in which it is counted."""
    patient, hours = scans["participant_id"], scans["hours_from_onset"]
    label, detected = scans["label"], scans["ht_detected_hours"]
    ht, no_ht = label.fillna(False), ~label.fillna(True)
    blood = scans["blood"].fillna(False)
    first = ~patient.duplicated()
    bleeds_at_first = (first & (blood | (ht & (detected <= hours)))).groupby(patient)
    window = f"{config.window_start_hours:g}-{config.window_end_hours:g} h"
    follow_up = f"{config.follow_up_hours:g} h"
    horizon = f"{config.horizon_hours:g} h"
    return {
        "no label": label.isna(),
        "first scan shows hemorrhage": bleeds_at_first.transform("any"),
        "HT without a time of detection": ht & detected.isna(),
        f"HT detected after the horizon ({horizon})": ht & (detected > config.horizon_hours),
        "labelled no HT, but a scan shows blood": no_ht & blood.groupby(patient).transform("any"),
        "no time from onset to scan": hours.isna(),
        "scan when HT was detected, or after": ht & (hours >= detected),
        "scan shows blood": blood,
        f"scan outside the window ({window})": ~hours.between(
            config.window_start_hours, config.window_end_hours
        ),
        f"no HT, but no imaging at least {follow_up} after the scan and within {horizon}": (
            no_ht & ~(_last_look(scans, config.horizon_hours) - hours >= config.follow_up_hours)
        ),
    }


def _last_look(scans: pd.DataFrame, horizon: float) -> pd.Series:
    """Hours of the latest known imaging of each scan's patient within the horizon."""
    by_scan = scans["hours_from_onset"].where(scans["hours_from_onset"] <= horizon)
    by_table = scans["last_imaging_hours"].where(scans["last_imaging_hours"] <= horizon)
    latest = by_scan.groupby(scans["participant_id"]).transform("max")
    return latest.fillna(by_table).clip(lower=by_table)


def _need_both_classes(chosen: pd.DataFrame, flow: list[FlowStep]) -> None:
    present = set(chosen["label"].dropna().astype(int))
    if present == {0, 1}:
        return
    missing = " and ".join({1: "with HT", 0: "without HT"}[value] for value in {0, 1} - present)
    # A first step "all participants" costs nothing; what cost most patients is the cause.
    costly = sorted(flow, key=lambda step: (-step.patients, -step.scans))
    causes = "; ".join(
        f"{step.reason}: {step.patients} patient(s), {step.scans} scan(s)"
        for step in costly[:_CAUSES]
        if step.scans or step.patients
    )
    lacking = [name for step in costly for name in _LACKING.get(step.reason, ()) if step.scans]
    raise TooFewPatients(
        f"No patient {missing} is left. Lost: {causes or 'nobody; the dataset has none'}",
        "at least one eligible scan of each class",
        f"Give {', '.join(lacking)} with --clinical or --labels"
        if lacking
        else "Complete the tables, or change the window, the follow-up or the horizon",
    )
