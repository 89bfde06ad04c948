"""A silent trial's history and outcomes in; tables, figures and a page out."""

from __future__ import annotations

from pathlib import Path

from hemocast.evaluate.inputs.history import read_history
from hemocast.evaluate.monitor.result import Monitored, MonitorOptions
from hemocast.evaluate.monitor.run import monitor
from hemocast.files import claim
from hemocast.report.figures.drawing import drawing_files
from hemocast.report.monitor.page import PAGE, draw_monitor, monitor_page
from hemocast.report.monitor.tables import monitor_tables

KIND = "monitor"


def monitor_files(
    history: Path,
    out: Path,
    *,
    outcomes: Path | None = None,
    reference: Path | None = None,
    options: MonitorOptions | None = None,
) -> Monitored:
    """Look at a silent trial, and write what is seen.

    Parameters
    ----------
    history, outcomes : Path
        As `hemocast.evaluate.inputs.history.read_history` takes them.
    out : Path
        Folder for the page, ``*.csv`` and ``figures``; new, empty, or of an earlier look, whose
        files are replaced.
    reference : Path, optional
        As for `hemocast.evaluate.monitor.run.monitor`.
    options : MonitorOptions, optional

    Raises
    ------
    NothingThere, TableError, NobodyMatched, StatisticsError
        As reading and looking do; nothing has been written then.
    OutputExists, NotWritable, InUse
        The folder holds something else, or cannot be written to.
    """
    found = monitor(read_history(history, outcomes), reference, options)
    with claim(out, KIND) as output:
        drawings = tuple(draw_monitor(found))
        page = {PAGE: monitor_page(found, drawings)}
        output.write_all({**monitor_tables(found), **drawing_files(drawings), **page})
    return found
