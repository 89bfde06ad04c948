"""``hemocast serve``: the silent trial, from the PACS to the results and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hemocast.cli.exits import leave, of_cases
from hemocast.cli.options import SERVICE, Service, output
from hemocast.cli.serve_account import account

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from hemocast.serve.hospital.people.audit import Person
    from hemocast.serve.hospital.service import Office
    from hemocast.serve.hospital.store.jobs import Job

serve = typer.Typer(
    help="Run a model beside routine: scans arrive from the PACS, results go back if told to.",
    no_args_is_help=True,
)
serve.add_typer(account, name="account")

Which = Annotated[str, typer.Argument(help="Accession number, study UID or name of a study.")]
Who = Annotated[str, typer.Option("--who", help="Your name: it is recorded.")]


@serve.command()
def init(
    out: Annotated[Path, typer.Option(help="The file; a new one.")] = SERVICE,
) -> None:
    """Write every setting with its default, what it means and its range."""
    from hemocast.errors import OutputExists
    from hemocast.files import write_new
    from hemocast.serve.hospital.settings import settings_text

    if not write_new(out, settings_text()):
        raise OutputExists(
            "The settings file is there already", "a new file", "Name another with --out"
        )
    print(f"Settings: {out}")


@serve.command()
def run(config: Service = SERVICE) -> None:
    """Receive, predict and, once delivery is on, deliver, until stopped; nothing is lost then."""
    import logging
    import threading
    from contextlib import suppress

    with _office(config) as office:
        from hemocast.serve.hospital.service import running
        from hemocast.serve.hospital.store.deliveries import Deliveries
        from hemocast.serve.hospital.web.app import open_pages

        logging.getLogger().setLevel(logging.WARNING)
        logging.getLogger("hemocast").setLevel(logging.INFO)
        with running(office) as port, open_pages(office) as address:
            node = office.settings.node
            on = "ON" if Deliveries(office.database).is_on() else "off: results stay here"
            told = f"{node.ae_title} on {node.host} port {port}; pages {address}; delivery {on}"
            print(told, flush=True)
            with suppress(KeyboardInterrupt):
                threading.Event().wait()


@serve.command()
def jobs(
    which: Annotated[
        str | None, typer.Argument(help="Accession number, study UID or name. Default: all.")
    ] = None,
    state: Annotated[str | None, typer.Option(help="Those in this state.")] = None,
    config: Service = SERVICE,
) -> None:
    """Tell where studies stand. No line names a patient: a study is told by its folder's name."""
    from collections import Counter

    with _office(config) as office:
        found = _found(office, which) if which else office.jobs.all()
        shown = [job for job in found if state in (None, job.state.value)]
        for job in shown:
            told = f"{job.name}  {job.state.value:9}  revision {job.revision}  {job.images} images"
            told += "" if job.attempts < 2 else f"  attempt {job.attempts}"
            print(f"{told}  {job.message}".rstrip())
            if which:
                _print_history(office, job)
        counts = Counter(job.state.value for job in found)
        print(", ".join(f"{count} {name}" for name, count in counts.items()) or "no studies")


@serve.command()
def resend(
    which: Annotated[
        str | None, typer.Argument(help="Accession number, study UID or name of a study.")
    ] = None,
    withheld: Annotated[
        bool, typer.Option("--withheld", help="All that was withheld while delivery was off.")
    ] = False,
    who: Who = "",
    config: Service = SERVICE,
) -> None:
    """Send the last results of a study again, or what was withheld; delivery must be on."""
    from hemocast.errors import UsageError

    with _office(config) as office:
        from hemocast.serve.hospital.store.deliveries import Deliveries

        deliveries = Deliveries(office.database)
        if (which is None) == (not withheld):
            raise UsageError(
                "Nothing says what to send", "a study, or --withheld", "Name one of the two"
            )
        if which is not None:
            studies = [job.study for job in _found(office, which)]
        else:
            studies = sorted({one.study for one in deliveries.all(None, "withheld")})
        print(f"{deliveries.resend(studies, who)} object(s) wait to be sent")
        if not deliveries.is_on():
            print("Delivery is off: they go once it is on ('hemocast serve deliver on').")


@serve.command()
def reprocess(which: Which, who: Who = "", config: Service = SERVICE) -> None:
    """Predict a study anew; the result replaces the last one, as its next revision."""
    with _office(config) as office:
        from hemocast.serve.hospital.store.search import reprocess as begin

        for job in _found(office, which):
            begin(office.database, job, who)
            print(f"{job.name}: begins anew as revision {job.revision + 1}")


@serve.command()
def retire(which: Which, who: Who = "", config: Service = SERVICE) -> None:
    """Delete a study's images now; what was found in them stays."""
    with _office(config) as office:
        from hemocast.serve.hospital.retention import retire as delete

        for job in _found(office, which):
            done = delete(office.database, office.root, job, "asked for", who)
            print(f"{job.name}: {'images deleted' if done else 'new images came: it stays'}")


@serve.command()
def echo(
    peer: Annotated[str | None, typer.Argument(help="Its name. Default: all.")] = None,
    config: Service = SERVICE,
) -> None:
    """Ask peers whether they are there.

    Exit code: 0 all are, 3 some are not, 4 none is.
    """
    from hemocast.errors import PeerRefused
    from hemocast.serve import extra_needed

    with extra_needed("The hospital's service"):
        from hemocast.serve.hospital.peers import Caller
        from hemocast.serve.hospital.settings import read_settings

        settings = read_settings(config)
        caller = Caller(settings.node, settings.delivery.timeout_s)
        there = away = 0
        for one in [settings.peer(peer)] if peer else settings.delivery.peers:
            try:
                caller.echo(one)
                there += 1
                print(f"{one.name}: answers")
            except PeerRefused as error:
                away += 1
                print(f"{one.name}: {error}")
        leave(of_cases(there, away))


@serve.command()
def pull(
    query: Annotated[str | None, typer.Argument(help="Its name. Default: all.")] = None,
    accession: Annotated[str, typer.Option(help="Studies with this accession number.")] = "",
    patient: Annotated[str, typer.Option(help="Studies with this patient ID.")] = "",
    of: Annotated[
        str, typer.Option(help="Priors and follow-ups: studies of the patient of this one here.")
    ] = "",
    config: Service = SERVICE,
) -> None:
    """Fetch what a PACS has and is not here, by the queries of the settings (pull.queries).

    With an accession number, patient ID or study, those are fetched whenever they were made.
    Exit code: 0 all came, 3 some did not, 4 nobody answered.
    """
    from hemocast.errors import PeerRefused

    with _office(config) as office:
        from hemocast.serve.hospital.pull.asked_for import pull_now

        patients = _patients(office, of) if of else [patient] if patient else []
        done = failed = 0
        queries = office.settings.pull.queries
        for one in [office.settings.query(query)] if query else queries:
            try:
                got = pull_now(office, one, _operator(), accession=accession, patients=patients)
            except PeerRefused as error:
                failed += 1
                print(f"{one.name}: {error}")
                continue
            done += 1 + got.fetched
            failed += got.failed
            print(f"{one.name}: {got}")
        leave(of_cases(done, failed))


@serve.command()
def deliver(
    to: Annotated[Literal["on", "off", "status"], typer.Argument(help="What results may do.")],
    who: Who = "",
    config: Service = SERVICE,
) -> None:
    """Let results leave, or stop them at once; receiving and predicting go on either way.

    What is made while delivery is off is withheld, and stays so when it is turned on, unless
    somebody asks for it by 'hemocast serve resend'.
    """
    from hemocast.errors import UsageError

    with _office(config) as office:
        from hemocast.serve.hospital.store.deliveries import OFF, ON, Deliveries
        from hemocast.serve.hospital.store.events import events

        deliveries = Deliveries(office.database)
        if to == "status":
            for event in events(office.database, None, ON, OFF):
                print(f"{event.at:%Y-%m-%d %H:%M:%S} UTC  {event.kind}  {event.who}")
            print(f"delivery is {'on' if deliveries.is_on() else 'off'}")
            return
        if not who.strip():
            raise UsageError("Nobody says who decides that", "a person's name", "Give --who NAME")
        withheld = deliveries.switch(to == "on", who.strip(), [_recorded(office, to, who.strip())])
        print(f"delivery is {to}; {withheld} object(s) withheld")


@serve.command()
def export(
    out: Annotated[Path, output("Folder for history.csv and outcomes.csv.", "history")],
    config: Service = SERVICE,
) -> None:
    """Write the trial so far as the tables of 'hemocast monitor': pseudonyms, and true times."""
    from hemocast.files import claim

    with _office(config) as office:
        from hemocast.serve.hospital.people.audit import Act, Audit, Kind
        from hemocast.serve.hospital.people.history import HISTORY_TABLE, OUTCOME_TABLE, trial_of
        from hemocast.serve.hospital.people.outcomes import Outcomes

        audit = Audit(office.database, office.root.key)
        trial = trial_of(office.database, Outcomes(office.database, audit), office.root.key)
        audit.record(Act(Kind.EXPORT, _operator(), detail=f"{len(trial.scans)} scans"))
        with claim(out, "history") as claimed:
            claimed.write_all(trial.tables())
    print(f"{len(trial.scans)} scans, {len(trial.outcomes)} with an outcome")
    with_outcomes = f" --outcomes {out / OUTCOME_TABLE}" if trial.outcomes else ""
    print(f"Next: hemocast monitor {out / HISTORY_TABLE}{with_outcomes} --out watched")


@contextmanager
def _office(config: Path) -> Iterator[Office]:
    from hemocast.serve import extra_needed

    with extra_needed("The hospital's service"):
        from hemocast.serve.hospital.service import opened
        from hemocast.serve.hospital.settings import read_settings

    with opened(read_settings(config)) as office:
        yield office


def _operator() -> Person:
    import getpass

    from hemocast.serve.hospital.people.audit import Person

    return Person(f"cli:{getpass.getuser()}")


def _recorded(office: Office, to: str, who: str) -> Callable[[Connection], None]:
    """Return what writes into the audit log that a person turned delivery on or off."""
    from functools import partial

    from hemocast.serve.hospital.people.audit import Act, Audit, Kind

    act = Act(Kind.DELIVERY, _operator(), detail=f"results turned {to} by {who}")
    return partial(Audit(office.database, office.root.key).add, act=act)


def _found(office: Office, which: str) -> list[Job]:
    from hemocast.serve.hospital.store.search import find

    return find(office.database, which)


def _patients(office: Office, which: str) -> list[str]:
    from hemocast.serve.hospital.store.holdings import Holdings

    holdings = Holdings(office.database)
    return sorted({holdings.patient_of(job.study) for job in _found(office, which)} - {""})


def _print_history(office: Office, job: Job) -> None:
    from hemocast.serve.hospital.store.deliveries import Deliveries
    from hemocast.serve.hospital.store.events import events

    for event in events(office.database, job.study):
        told = f"  {event.at:%Y-%m-%d %H:%M:%S} UTC  revision {event.revision}  {event.kind}"
        print("  ".join(filter(None, (told, event.who, event.detail))))
    for one in Deliveries(office.database).all(job.study):
        print(f"  {one.peer} {one.file}: {one.state} {one.answer}".rstrip())
