"""Where a reader stands: in order, with the washout kept, and closed where it must be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from hemocast.readers.store.answers import Answer, Store
from hemocast.readers.store.engine import sqlite_url
from hemocast.readers.store.progress import ReaderProgress, Standings
from hemocast.readers.study.design import PlannedReading, StudyDesign, make_design

N = 3


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(sqlite_url(tmp_path / "answers.sqlite"), "s")
    yield opened
    opened.close()


def study(days: float = 7.0, *, aided: bool = True) -> StudyDesign:
    scans = [f"sub-{i}_ses-01" for i in range(N)]
    model = {
        "name": "m",
        "simulated_training_data": True,
        "probabilities": dict.fromkeys(scans, 0.5),
        "heatmaps": False,
    }
    return make_design(
        name="s",
        simulated=True,
        readers=("R1", "R2"),
        cases=[{"participant_id": scan[:5], "scan_id": scan} for scan in scans],
        model=model if aided else None,
        washout_days=days,
    )


def submit(store: Store, shown: PlannedReading, *, final: bool = True) -> None:
    store.add(shown, Answer(str(uuid4()), 0.5, 1, 3, final=final), "d" * 64)


def stand(design: StudyDesign, store: Store, days: float = 0.0) -> ReaderProgress:
    return Standings(design, store).of("R1", datetime.now(UTC) + timedelta(days=days))


def test_cases_come_one_after_the_other_and_submitted_ones_stay_open(store: Store) -> None:
    design = study()
    shown = design.reading_list("R1")
    assert stand(design, store).current == shown[0]
    assert stand(design, store).open == (shown[0],)
    submit(store, shown[0], final=False)
    assert stand(design, store).current == shown[0]
    submit(store, shown[0])
    now = stand(design, store)
    assert (now.current, now.open, now.done, now.total) == (shown[1], shown[:2], 1, N)


def test_the_second_arm_opens_after_the_washout(store: Store) -> None:
    design = study()
    shown = design.reading_list("R1")
    for one in shown[:N]:
        submit(store, one)
    now = stand(design, store, days=6.9)
    assert (now.phase, now.current, now.part) == ("washout", None, 2)
    assert now.open == ()
    later = stand(design, store, days=7.1)
    assert (later.phase, later.current, later.arm) == ("reading", shown[N], shown[N].arm)


def test_the_first_arm_may_be_corrected_for_a_day_and_not_be_looked_at_later(store: Store) -> None:
    """Who read aided must not go back to the model's results shortly before reading alone."""
    design = study()
    shown = design.reading_list("R1")
    for one in shown[:N]:
        submit(store, one)
    assert stand(design, store, days=0.9).open == shown[:N]
    assert stand(design, store, days=1.1).open == ()
    assert stand(design, store, days=8).open == (shown[N],)


def test_a_correction_begins_the_washout_anew(store: Store) -> None:
    design = study()
    shown = design.reading_list("R1")
    for one in (*shown[:N], shown[0]):
        submit(store, one)
    assert stand(design, store).opens_at == store.latest(shown[0]).read_at + timedelta(days=7)


def test_without_a_washout_the_second_arm_is_open_and_its_first_answer_closes_the_first(
    store: Store,
) -> None:
    design = study(0)
    shown = design.reading_list("R1")
    for one in shown[:N]:
        submit(store, one)
    now = stand(design, store)
    assert (now.phase, now.current, now.open) == ("reading", shown[N], shown[: N + 1])
    submit(store, shown[N], final=False)
    assert stand(design, store).open == (shown[N],)
    for one in shown[N:]:
        submit(store, one)
    end = stand(design, store)
    assert (end.phase, end.current, end.open) == ("finished", None, shown[N:])


def test_one_arm_ends_after_it(store: Store) -> None:
    design = study(aided=False)
    for one in design.reading_list("R1"):
        submit(store, one)
    end = stand(design, store)
    assert (end.phase, end.part, end.parts, end.done) == ("finished", 1, 1, N)


def test_what_another_reader_answers_moves_nothing(store: Store) -> None:
    design = study()
    before = stand(design, store)
    for one in design.reading_list("R2"):
        submit(store, one)
    assert stand(design, store) == before


def test_who_is_asked_again_and_again_tells_the_same_as_who_is_asked_once(store: Store) -> None:
    design = study(0)
    kept = Standings(design, store)
    for number, one in enumerate(design.reading_list("R1")):
        submit(store, one, final=False)
        assert kept.of("R1", datetime.now(UTC)) == stand(design, store)
        submit(store, one)
        if number % 2:
            assert kept.of("R1", datetime.now(UTC)) == stand(design, store)
    assert kept.of("R2", datetime.now(UTC)).done == 0
