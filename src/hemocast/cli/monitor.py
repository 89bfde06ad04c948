"""``hemocast monitor``: how a silent trial goes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.exits import leave_if_found
from hemocast.cli.options import output


def monitor(
    history: Annotated[
        Path,
        typer.Argument(
            help="A table of all scans that arrived: scan_id, arrived_at, status, probability, ..."
        ),
    ],
    out: Annotated[Path, output("Folder for the page and tables.", "monitor")],
    outcomes: Annotated[
        Path | None, typer.Option(help="A table of outcomes: scan_id, label, grade, observed_at.")
    ] = None,
    compare_with: Annotated[
        Path | None,
        typer.Option(
            help="A table of scans to compare with, such as the model's test predictions. Default: "
            "the first weeks of the history."
        ),
    ] = None,
    weeks: Annotated[int, typer.Option(min=1, max=26, help="Of one look.")] = 4,
    first_weeks: Annotated[
        int, typer.Option(min=1, max=104, help="That are the reference, where none is given.")
    ] = 12,
    alarm_level: Annotated[
        float,
        typer.Option(
            min=0.001, max=0.2, help="Chance of a false alarm, as docs/how-to/monitor.md says"
        ),
    ] = 0.05,
    chart_outcomes: Annotated[
        int, typer.Option(min=20, max=20_000, help="Outcomes that the charts' chance is for.")
    ] = 500,
) -> None:
    """See how a silent trial goes: uptake, refusals, delays, drift, and outcomes as they come.

    Nothing is changed: where outcomes have left what was predicted, it says so and since when.

    Exit code: 0 no alarm, 5 an alarm.
    """
    from hemocast.evaluate.monitor.result import MonitorOptions
    from hemocast.pipeline.monitor import monitor_files
    from hemocast.report.monitor.page import alarms_of

    options = MonitorOptions(weeks, first_weeks, alarm_level, chart_outcomes)
    found = monitor_files(history, out, outcomes=outcomes, reference=compare_with, options=options)
    whole = found.traffic.whole
    print(f"{whole.n} scans: {whole.done} with a result, {whole.refused} refused")
    if found.followed:
        print(f"{found.followed.whole.n} outcomes, {found.followed.whole.n_events} with HT")
    for alarm in alarms_of(found):
        print(f"ALARM: {alarm}")
    print(f"Page: {out / 'report.html'}")
    leave_if_found(found.alarmed)
