"""The page says first what needs a person, and never that it changed something."""

from __future__ import annotations

import re
from collections.abc import Callable

from hemocast.evaluate.monitor.result import Monitored
from hemocast.report.monitor.page import alarms_of, draw_monitor, monitor_page


def page_of(found: Monitored) -> str:
    return monitor_page(found, draw_monitor(found))


def test_alarms_come_first_with_their_dates(
    trial: Monitored, html_faults: Callable[[str], list[str]]
) -> None:
    page = page_of(trial)
    assert html_faults(page) == []
    outcome, scanner = alarms_of(trial)
    assert outcome.startswith("more hemorrhagic transformation than predicted")
    assert re.search(r"noticed on 2026-\d\d-\d\d, most likely since 2026-\d\d-\d\d", outcome)
    assert scanner.startswith("scanner is not as in the reference: first from 2026-0")
    assert (
        page.index("To look at") < page.index("scanner is not".capitalize()) < page.index("Scans")
    )
    assert re.search(r"Consider to recalibrate on the \d+ patients since 2026-", page)
    assert "Nothing is changed by itself" in page
    for words in ("360 (90 %) got a result", "HC303", "median 1.5 minutes", "PH1", "AUC"):
        assert words in page
    assert page.count("<svg") == 4


def test_names_are_escaped_and_simulated_trials_say_so(
    trial: Monitored, without_outcomes: Monitored
) -> None:
    page = page_of(trial)
    assert "<b>fast</b>" not in page
    assert "New &amp; &lt;b&gt;fast" in page
    assert "SIMULATED" in page
    assert "SIMULATED" not in page_of(without_outcomes)


def test_without_outcomes_and_alarms_it_says_that(without_outcomes: Monitored) -> None:
    page = page_of(without_outcomes)
    assert "No outcome of a scan with a result is known yet" in page
    assert "recalibrate" not in page
    assert page.count("<svg") == 2
