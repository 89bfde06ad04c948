"""Scans of any number of patients in; a dataset folder with pseudonyms out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast import files
from hemocast.dataset.description import adopt_key, other_key, refuse_other_key, write_description
from hemocast.dataset.ingest.one_scan import Job, ingest_scan
from hemocast.dataset.ingest.refusals import write_refusals
from hemocast.dataset.ingest.sessions import DatasetSessions, nameless
from hemocast.dataset.ingest.workers import Workers
from hemocast.dataset.layout import Dataset
from hemocast.dataset.pseudonym import (
    date_shift,
    load_key,
    participant_id,
    read_key,
    scan_name,
    study_id,
)
from hemocast.dataset.sidecar import key_sidecar, read_sidecar
from hemocast.dataset.tables.labels import read_labels
from hemocast.dataset.tables.made import check_tables, write_tables
from hemocast.dataset.tables.patients import nobody_matched
from hemocast.errors import HemocastError, NobodyMatched, UsageError
from hemocast.left_out import RefusedStudy
from hemocast.tables import MISSING, called

if TYPE_CHECKING:
    from hemocast.config import PrepareConfig
    from hemocast.dataset.ingest.sources import Candidate, Gathered
    from hemocast.dicom import Refusal
    from hemocast.dicom.files.dicomweb import RemoteStudy, Server
    from hemocast.left_out import LeftOut

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class IngestReport:
    """What became of all studies.

    Parameters
    ----------
    added, already_there : int
        Scans written by this run, and by earlier ones.
    refused : tuple of RefusedStudy
        One for every study left out.
    unlabelled : int
        Participants of the dataset without a label.
    left_out : tuple of LeftOut
        Of the studies of this run: every series and stray file that was not used, and why.
    labels_matched : int
        Patients of the dataset to whom a label was given.
    nobody : NobodyMatched or None
        Labels were given, and there are patients, but none of theirs.
    """

    added: int
    already_there: int
    refused: tuple[RefusedStudy, ...]
    unlabelled: int
    left_out: tuple[LeftOut, ...] = ()
    labels_matched: int = 0
    nobody: NobodyMatched | None = None


def ingest(
    sources: Sequence[Path | str],
    out: Path,
    key: bytes | Path,
    *,
    labels: Path | None = None,
    prepare: PrepareConfig | None = None,
    workers: Workers | None = None,
    progress: Progress | None = None,
) -> IngestReport:
    """Read every study in `sources` and add its head CT to the dataset in `out`.

    Scans that are already there are left as they are, and so is all that users wrote in the tables.
    A study that is refused costs that study, and a source that cannot be opened that source; the
    reason goes to ``quality/refused.tsv``, those of single series to ``quality/left_out.tsv``. A
    run that was stopped at any moment ends the same when it is started again.

    Parameters
    ----------
    sources : sequence of Path or str
        Folders, zips and media of DICOM files or of NIfTI files with JSON sidecars, of any number
        of patients; addresses of DICOMweb servers (``dicomweb+http://host/path``), whose studies
        are fetched a few at a time.
    out : Path
        The dataset folder; made where there is none.
    key : bytes or Path
        The secret of the pseudonyms, or the file that holds it, which is made for a new dataset.
    labels : Path, optional
        A table with columns ``patient_id`` (as in the DICOM files; for NIfTI the label of
        ``sub-LABEL`` or the file's name without its ending) and ``label`` (1 HT, 0 no HT). They
        replace the labels of these patients; those of others stay.
    prepare : PrepareConfig, optional
        Also keep the eligible scans' stacks with these settings: the brain, whose search takes most
        of the time, is then found once, not again when the scans are used.
    workers : Workers, optional
        Who reads; one process by default.
    progress : callable, optional
        Called with (done, total).

    Raises
    ------
    OutputExists, NotWritable, InUse
        `out` holds what is no dataset of Hemocast's, cannot be written to, or another run writes
        there; nothing has been written then.
    UsageError
        The key is not the one that named the dataset's patients, or not to be found; likewise.
    TableError, DatasetError
        The labels, or the tables or sidecars in `out`, have faults; likewise.
    NothingThere
        A path does not exist, or a server or scheduler does not answer; likewise.
    MissingExtra
        A server or cluster is named and its extra is not installed; likewise.
    NoSpace
        The disk is too small for the scans.
    """
    from hemocast.dataset.ingest.sources import split_sources
    from hemocast.dicom.files.dicomweb import Server

    given = read_labels(labels) if labels else {}
    paths, addresses = split_sources(sources)
    servers = [Server(address) for address in addresses]
    dataset = Dataset(out)
    dataset.check_writable()
    check_tables(dataset)
    _check_key(dataset, key)
    with ExitStack() as opened:
        at_once = opened.enter_context((workers or Workers()).ready())
        remote = [(server, study) for server in servers for study in server.studies()]
        opened.enter_context(dataset.writing())
        secret = load_key(key, out) if isinstance(key, Path) else key
        proved = refuse_other_key(out, secret) or adopt_key(out, secret, _identifiers(given))
        sessions = DatasetSessions(dataset, secret)
        _remove_unfinished(dataset, sessions)
        run = _Run(dataset, secret, sessions, prepare, at_once, len(remote), progress)
        already_there = len(sessions.complete)
        run.local(paths, opened, proved=proved or not already_there)
        run.remote(remote)
        labelled = {participant_id(secret, n): label for n, label in _identifiers(given).items()}
        sidecars = [(path, read_sidecar(path)) for path in dataset.sidecars()]
        people = {read.participant_id for _, read in sidecars}
        matched, seen = len(people & labelled.keys()), [*(run.patients or people)]
        unlabelled = write_tables(dataset, labelled, sidecars)
        scans = [scan for _, scan in sidecars]
        write_description(out, secret, simulated=any(scan.simulated for scan in scans))
        write_refusals(dataset, scans, run.refused, run.stray, run.seen)
    return IngestReport(
        len(sidecars) - already_there,
        already_there,
        tuple(run.refused),
        unlabelled,
        (*run.stray, *(line for lines in run.seen.values() for line in lines)),
        matched,
        nobody_matched(called(labels), [*given], "the scans", seen)
        if labels and seen and not matched
        else None,
    )


def _check_key(dataset: Dataset, key: bytes | Path) -> None:
    """Refuse a key that would be refused later, before anything is written."""
    secret = read_key(key, dataset.root) if isinstance(key, Path) else key
    if secret is not None:
        refuse_other_key(dataset.root, secret)


def _identifiers(given: dict[str, int]) -> dict[str, int]:
    """Add, for NIfTI files, the label in a name of which a table may hold the whole."""
    return {name.removeprefix("sub-"): label for name, label in given.items()} | given


def _remove_unfinished(dataset: Dataset, sessions: DatasetSessions) -> None:
    """Remove what a killed run left under temporary names, and folders that hold nothing."""
    files.remove_temporary(dataset.root)
    files.remove_temporary(dataset.root / "quality")
    for scan in sessions.unfinished():
        session = dataset.scan_path(scan).parent.parent
        files.remove_temporary(session)
        for folder in (session, session.parent):
            with suppress(OSError):
                folder.rmdir()


@dataclass
class _Run:
    """One run: what it works with, and what became of what it met."""

    dataset: Dataset
    key: bytes
    sessions: DatasetSessions
    prepare: PrepareConfig | None
    at_once: int
    total: int
    progress: Progress | None
    done: int = 0
    refused: list[RefusedStudy] = field(default_factory=list)
    stray: list[LeftOut] = field(default_factory=list)
    seen: dict[str, tuple[LeftOut, ...]] = field(default_factory=dict)
    patients: set[str] = field(default_factory=set, repr=False)

    def local(self, paths: Sequence[Path], opened: ExitStack, *, proved: bool) -> None:
        """Add all that lies in paths, in the order of time; zips stay unpacked until the end.

        Parameters
        ----------
        paths : sequence of Path
            Folders, zips, files.
        opened : ExitStack
            Keeps them open.
        proved : bool
            The key is known to be the dataset's; else a scan that is there already must prove it.
        """
        from hemocast.dataset.ingest.sources import Gathered, gather
        from hemocast.dicom.files.archive import open_named

        candidates: list[Candidate] = []
        error: HemocastError | None
        for number, path in enumerate(paths, start=1):
            try:
                gathered = gather(opened.enter_context(open_named(path)))
            except HemocastError as refusal:
                gathered, error = Gathered(), refusal
            else:
                error = gathered.unreadable
            if error:
                message = f"Source {number} of {len(paths)}: {error}"
                self.refused.append(RefusedStudy(MISSING, error.code, message))
            candidates += self._take(gathered)
        if not proved:
            self._prove_key(candidates)
        # From here on the dataset says which key is its own, though the run be stopped.
        write_description(self.dataset.root, self.key, simulated=False)
        for sidecar in self.dataset.sidecars():
            key_sidecar(sidecar, self.key)
        jobs = self._plan(candidates)
        files.check_space(self.dataset.root, sum(job.candidate.n_bytes for job in jobs))
        self.total += len(jobs)
        self.sessions.save()
        self._work(jobs)

    def remote(self, studies: Sequence[tuple[Server, RemoteStudy]]) -> None:
        """Add the studies of servers, a few at a time, so that the disk holds only these."""
        fresh = []
        for server, study in studies:
            names = {scan_name(self.key, uid) for uid in study.scan_uids}
            if names & self.sessions.complete:
                self.seen[study_id(self.key, study.uid)] = ()
                self._tick()
            else:
                fresh.append((server, study))
        for start in range(0, len(fresh), self.at_once):
            with tempfile.TemporaryDirectory(prefix="hemocast-") as name:
                jobs = []
                for index, (server, study) in enumerate(fresh[start : start + self.at_once]):
                    jobs += self._plan(self._fetch(server, study, Path(name, str(index))))
                self.sessions.save()
                self.total += len(jobs)
                self._work(jobs)

    def _prove_key(self, candidates: Iterable[Candidate]) -> None:
        """Refuse a key that a dataset of version 0.1 cannot be shown to be named by."""
        known = ((self.sessions.get(c.identity), c.identity) for c in candidates)
        agree = {
            scan.participant_id == participant_id(self.key, one.patient)
            for scan, one in known
            if scan
        }
        if False in agree:
            raise other_key()
        if not agree:
            raise UsageError(
                "A dataset of version 0.1 does not say which key named its patients",
                "a patient who is there already, among the scans or labels given, to prove the key",
                "Give one of the dataset's first sources again, together with the new ones",
            )

    def _fetch(self, server: Server, study: RemoteStudy, folder: Path) -> list[Candidate]:
        from hemocast.dataset.ingest.sources import gather
        from hemocast.dicom.files.archive import Opened

        self._tick()
        try:
            server.fetch(study, folder)
            return self._take(gather(Opened(folder)))
        except HemocastError as error:
            name = study_id(self.key, study.uid)
            self.seen[name] = ()
            self.refused.append(RefusedStudy(MISSING, error.code, str(error), name))
            return []

    def _take(self, gathered: Gathered) -> list[Candidate]:
        """Note what a source turns away; give the rest."""
        self.stray += gathered.left_out
        for item in gathered.turned_away:
            self._turn_away(item)
        for candidate in gathered.candidates:
            self.seen[study_id(self.key, candidate.identity.study)] = candidate.left_out
            self.patients.add(candidate.identity.patient)
        return list(gathered.candidates)

    def _turn_away(self, item: Refusal) -> None:
        study = study_id(self.key, item.study_uid)
        self.seen[study] = item.left_out
        person = participant_id(self.key, item.patient_key)
        self.refused.append(RefusedStudy(person, item.error.code, str(item.error), study))

    def _plan(self, candidates: Sequence[Candidate]) -> list[Job]:
        """Give every new scan its session: after those already there, in the order of time."""
        from hemocast.dicom import Refusal

        found = {scan_name(self.key, c.identity.scan_uid): c for c in candidates}
        jobs = []
        for uid, scan in self.sessions.plan([c.identity for c in candidates]).items():
            one, candidate = found[uid].identity, found[uid]
            if scan is None:
                self._turn_away(Refusal(one.patient, one.study, nameless()))
                continue
            acquired = one.acquired and one.acquired - date_shift(self.key, one.patient)
            jobs.append(Job(scan, uid, study_id(self.key, one.study), acquired, candidate))
        return jobs

    def _work(self, jobs: Sequence[Job]) -> None:
        from joblib import Parallel, delayed

        # Inside a cluster's context the number of processes is the cluster's own.
        n_jobs = min(self.at_once, len(jobs)) or 1
        results = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
            delayed(ingest_scan)(job, self.dataset, self.prepare) for job in jobs
        )
        for outcome in results:
            if outcome is not None:
                self.refused.append(outcome)
            self._tick()

    def _tick(self) -> None:
        self.done += 1
        if self.progress:
            self.progress(self.done, self.total)
