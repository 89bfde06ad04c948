"""Scans of any number of patients in; a dataset folder with pseudonyms out."""

from __future__ import annotations

import logging
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast.dataset.ingest.one_scan import Job, ingest_scan
from hemocast.dataset.ingest.refusals import write_refusals
from hemocast.dataset.ingest.sessions import Sessions
from hemocast.dataset.layout import Dataset
from hemocast.dataset.pseudonym import date_shift, participant_id, study_id
from hemocast.dataset.tables.sidecars import Refused, read_labels, read_sidecar, write_tables
from hemocast.errors import HemocastError, MissingExtra, NothingThere, SeveralScans
from hemocast.tables import MISSING

if TYPE_CHECKING:
    from hemocast.dataset.ingest.sources import Candidate, Gathered, TurnedAway
    from hemocast.dicom.files.dicomweb import RemoteStudy, Server

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
_TEMPORARY = re.compile(r"\.\w{8}\.(tsv|json)")  # as `layout.replacing` names them


@dataclass(frozen=True)
class IngestReport:
    """What became of all studies.

    Parameters
    ----------
    added, already_there : int
        Scans written by this run, and by earlier ones.
    refused : tuple of Refused
        One for every study left out.
    unlabelled : int
        Participants of the dataset without a label.
    left_out : tuple of str
        Of the studies of this run: every series and stray file that was not used, and why.
    """

    added: int
    already_there: int
    refused: tuple[Refused, ...]
    unlabelled: int
    left_out: tuple[str, ...] = ()


def ingest(
    sources: Sequence[Path | str],
    out: Path,
    key: bytes,
    *,
    labels: Path | None = None,
    workers: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> IngestReport:
    """Read every study in `sources` and add its head CT to the dataset in `out`.

    Scans that are already there (by the hash of their UIDs) are left as they are. A study that is
    refused costs that study, and a source that cannot be opened that source; the reason goes to
    ``quality/refused.tsv``, those of single series to ``quality/left_out.tsv``. A run that was
    stopped at any moment ends the same when it is started again.

    Parameters
    ----------
    sources : sequence of Path or str
        Folders, zips and media of DICOM files or of NIfTI files with JSON sidecars, of any number
        of patients; addresses of DICOMweb servers (``dicomweb+http://host/path``), whose studies
        are fetched a few at a time.
    out : Path
        The dataset folder; made where there is none.
    key : bytes
        The secret of the pseudonyms.
    labels : Path, optional
        CSV with columns ``patient_id`` (as in the DICOM files; for NIfTI the label of ``sub-LABEL``
        or the file's name without its ending) and ``label`` (1 HT, 0 no HT).
    workers : int
        Processes.
    cluster : str, optional
        Address of a dask scheduler, whose workers do the reading instead. They must see `out`, the
        sources and the folder for temporary files under the same paths.
    progress : callable, optional
        Called with (done, total).

    Raises
    ------
    TableError
        The labels have bad cells; nothing has been written then.
    NothingThere
        A path does not exist, or a server or scheduler does not answer; likewise.
    MissingExtra
        A server or cluster is named and its extra is not installed.
    """
    from hemocast.dataset.ingest.sources import split_sources
    from hemocast.dicom.files.dicomweb import Server

    given = read_labels(labels) if labels else {}
    paths, addresses = split_sources(sources)
    servers = [Server(address) for address in addresses]
    remote = [(server, study) for server in servers for study in server.studies()]
    dataset = Dataset(out)
    with ExitStack() as opened:
        at_once = opened.enter_context(_processes(workers, cluster))
        remove_partial(dataset)
        run = _Run(dataset, key, Sessions(dataset), at_once, len(remote), progress)
        already_there = len(run.sessions.complete)
        run.local(paths, opened)
        run.remote(remote)
    labelled: dict[str, int] = {}
    for patient, label in given.items():
        labelled[participant_id(key, patient)] = label
        # A NIfTI file's patient is the label in its name; a table may hold the whole.
        labelled.setdefault(participant_id(key, patient.removeprefix("sub-")), label)
    sidecars = [(path, read_sidecar(path)) for path in dataset.sidecars()]
    participants = write_tables(dataset, labelled, sidecars)
    contents = [content for _, content in sidecars]
    write_refusals(dataset, contents, run.refused, run.stray, run.seen)
    unlabelled = sum(participant not in labelled for participant in participants)
    return IngestReport(
        len(sidecars) - already_there,
        already_there,
        tuple(run.refused),
        unlabelled,
        (*run.stray, *(line for lines in run.seen.values() for line in lines)),
    )


@contextmanager
def _processes(workers: int, cluster: str | None) -> Iterator[int]:
    """Say how many scans are read at once, by processes here or by a cluster's."""
    if cluster is None:
        yield workers
        return
    import joblib

    try:
        from distributed import Client
    except ImportError as error:
        raise MissingExtra(
            "The client of a cluster is not installed",
            "Hemocast with its extra 'cluster'",
            "Install it with: pip install 'hemocast[cluster]'",
        ) from error
    try:
        client = Client(cluster, timeout=30)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise NothingThere(
            f"The scheduler does not answer ({type(error).__name__})",
            "the address of a running dask scheduler, such as tcp://host:8786",
            "Check the address, and that the scheduler runs",
        ) from None
    with client, joblib.parallel_config(backend="dask", n_jobs=-1):
        yield max(1, joblib.effective_n_jobs(-1))


@dataclass
class _Run:
    """One run: what it works with, and what became of what it met."""

    dataset: Dataset
    key: bytes
    sessions: Sessions
    at_once: int
    total: int
    progress: Progress | None
    done: int = 0
    refused: list[Refused] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)
    seen: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def local(self, paths: Sequence[Path], opened: ExitStack) -> None:
        """Add all that lies in paths, in the order of time; zips stay unpacked until the end."""
        from hemocast.dataset.ingest.sources import gather
        from hemocast.dicom.files.archive import open_named

        candidates: list[Candidate] = []
        for number, path in enumerate(paths, start=1):
            try:
                gathered = gather(opened.enter_context(open_named(path)))
            except HemocastError as error:
                message = f"Source {number} of {len(paths)}: {error}"
                self.refused.append(Refused(MISSING, error.code, message))
                continue
            candidates += self._take(gathered)
        jobs = self._plan(candidates)
        self.total += len(jobs)
        self.sessions.save()
        self._work(jobs)

    def remote(self, studies: Sequence[tuple[Server, RemoteStudy]]) -> None:
        """Add the studies of servers, a few at a time, so that the disk holds only these."""
        fresh = []
        for server, study in studies:
            if study.scan_uids & self.sessions.complete:
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
            self.refused.append(Refused(MISSING, error.code, str(error), name))
            return []

    def _take(self, gathered: Gathered) -> list[Candidate]:
        """Note what a source turns away; give the rest."""
        self.stray += gathered.left_out
        for item in gathered.turned_away:
            self._turn_away(item)
        for candidate in gathered.candidates:
            self.seen[study_id(self.key, candidate.study)] = candidate.left_out
        return list(gathered.candidates)

    def _turn_away(self, item: TurnedAway) -> None:
        study = study_id(self.key, item.study)
        self.seen[study] = item.left_out
        person = participant_id(self.key, item.patient)
        self.refused.append(Refused(person, item.error.code, str(item.error), study))

    def _plan(self, candidates: Iterable[Candidate]) -> list[Job]:
        """Give every new scan its session: after those already there, in the order of time."""
        named: dict[str, set[str]] = defaultdict(set)
        for candidate in candidates:
            named[candidate.patient].add(candidate.scan_uid)
        fresh = {c.scan_uid: c for c in candidates if c.scan_uid not in self.sessions.complete}
        jobs = []
        for c in sorted(fresh.values(), key=_order):
            person = participant_id(self.key, c.patient)
            others = (named[c.patient] | self.sessions.scans_of(person)) - {c.scan_uid}
            if c.alone and others and c.scan_uid not in self.sessions:
                self._turn_away(_nameless(c))
                continue
            session = self.sessions.give(c.scan_uid, person, c.session)
            acquired = c.acquired and c.acquired - date_shift(self.key, c.patient)
            jobs.append(Job(person, session, study_id(self.key, c.study), acquired, c))
        return jobs

    def _work(self, jobs: Sequence[Job]) -> None:
        from joblib import Parallel, delayed

        # Inside a cluster's context the number of processes is the cluster's own.
        n_jobs = min(self.at_once, len(jobs)) or 1
        results = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
            delayed(ingest_scan)(job, self.dataset) for job in jobs
        )
        for outcome in results:
            if outcome is not None:
                self.refused.append(outcome)
            self._tick()

    def _tick(self) -> None:
        self.done += 1
        if self.progress:
            self.progress(self.done, self.total)


def _order(candidate: Candidate) -> tuple[datetime, int, str, str]:
    when = candidate.acquired or datetime.max
    return when, candidate.session or 0, candidate.study, candidate.scan_uid


def _nameless(candidate: Candidate) -> TurnedAway:
    from hemocast.dataset.ingest.sources import TurnedAway

    error = SeveralScans(
        "Several scans are called the same, and only the file's name says whose this one is",
        "a name for every patient, such as sub-LABEL_ses-1_ct.nii.gz",
        "Rename the files, one label for each patient",
    )
    return TurnedAway(candidate.patient, candidate.study, error)


def remove_partial(dataset: Dataset) -> None:
    """Remove what a killed run left: temporary files, and folders of scans without a sidecar."""
    for folder in (dataset.root, dataset.root / "quality"):
        for path in folder.glob(".*"):
            if _TEMPORARY.fullmatch(path.name):
                path.unlink(missing_ok=True)
    complete = {path.parent for path in dataset.sidecars()}
    for session in dataset.root.glob("sub-*/ses-*"):
        if session / "ct" in complete:
            continue
        shutil.rmtree(session / "ct", ignore_errors=True)
        for folder in (session, session.parent):
            if not any(folder.iterdir()):
                folder.rmdir()
