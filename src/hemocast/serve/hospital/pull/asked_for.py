"""A person asks: a query's studies now, or those of a patient whenever they were made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hemocast.errors import HemocastError, UsageError
from hemocast.serve.hospital.inbox import Inbox
from hemocast.serve.hospital.node import straight_to_disk
from hemocast.serve.hospital.people.audit import Act, Audit, Kind, Person
from hemocast.serve.hospital.pull.puller import Pulled, Puller
from hemocast.serve.hospital.pull.settings import Query
from hemocast.serve.hospital.pull.wanted import Wanted
from hemocast.serve.hospital.store.arrivals import Arrivals
from hemocast.serve.hospital.store.holdings import Holdings

if TYPE_CHECKING:
    from hemocast.serve.hospital.service import Office


def pull_now(
    office: Office, query: Query, by: Person, *, accession: str = "", patients: Sequence[str] = ()
) -> Pulled:
    """Ask by a query once, and keep in the audit log who did and what came of it.

    Parameters
    ----------
    office : Office
        A service may run in it meanwhile, and must where the peer gives by C-MOVE.
    query : Query
    by : Person
        Who asks.
    accession : str
        Studies with that accession number alone, and at any time.
    patients : sequence of str
        Studies of those patients alone, and at any time.

    Raises
    ------
    ConfigError, UsageError
        There is no such peer; a key holds a wildcard.
    PeerRefused, NoSpace, NotWritable, StoreError
        As `Puller.pull` does.
    """
    if any(set(key) & set("*?\\") for key in (accession, *patients)):
        raise UsageError(
            "An accession number or patient ID holds a wildcard",
            "the number or ID of one study or patient",
            "Give it whole",
        )
    inbox, holdings = Inbox(office.root, Arrivals(office.database)), Holdings(office.database)
    puller = Puller.of(query, office.settings, office.root, inbox, holdings)
    wanted = puller.wanted(datetime.now())
    if accession or patients:
        words = Wanted(body_part=query.body_part, description=query.description)
        wanted = [replace(words, accession=accession, patient=one) for one in patients or [""]]
    audit = Audit(office.database, office.root.key)
    asked = f"{query.name} of {_whom(query)}{_only(accession, patients)}"
    try:
        with straight_to_disk(office.root.incoming):
            pulled = puller.pull(wanted)
    except HemocastError as error:
        audit.record(Act(Kind.PULL, by, detail=f"{asked}: {error.code}", success=False))
        raise
    audit.record(Act(Kind.PULL, by, detail=f"{asked}: {pulled}"))
    return pulled


def _whom(query: Query) -> str:
    """Name who is asked; of an address the host alone, since a path may hold a secret."""
    return query.peer or urlsplit(query.web or "").hostname or ""


def _only(accession: str, patients: Sequence[str]) -> str:
    """Say what else was asked for, without what identifies anybody."""
    by_accession = ", one accession number" if accession else ""
    return by_accession + (f", {len(patients)} patient(s)" if patients else "")
