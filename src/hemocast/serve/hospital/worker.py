"""One study after another: read, predicted, and its result kept, whatever ends the service."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hemocast.errors import HemocastError, WorkerDied
from hemocast.faults import internal_error
from hemocast.files import write_bytes, writing
from hemocast.pipeline.predictions.folder import CaseResult
from hemocast.serve.hospital.analyst import Analyst, Finding
from hemocast.serve.hospital.endpoints import is_for
from hemocast.serve.hospital.objects import refusal_objects
from hemocast.serve.hospital.pace import Pacer
from hemocast.serve.hospital.root import Root, flush
from hemocast.serve.hospital.rules import decide, facts_of, scanner_of
from hemocast.serve.hospital.settings import HospitalConfig, JobsConfig, Rule
from hemocast.serve.hospital.store.deliveries import add_deliveries
from hemocast.serve.hospital.store.jobs import Job, Jobs, State
from hemocast.serve.hospital.store.results import Result, add_results

_LOG = logging.getLogger(__name__)
_OBJECTS = "dicom"
FEATURES = (
    "slice_mm", "infarct_ml", "infarct_mca_share", "water_uptake", "aspects", "midline_shift_mm",
    "fluid_share", "calcification_ml", "ventricles_ml", "bicaudate_ratio", "van_swieten",
    "old_infarct_ml", "blood_ml",
)  # fmt: skip
"""Signs whose drift is watched: one number a sign, for every further one costs power."""
RULE = "rule"
"""In place of a refusal's code: a rule of the settings says that a study is not analysed."""


@dataclass(frozen=True)
class Outgoing:
    """Who is told of results, once delivery is on.

    Parameters
    ----------
    destinations : tuple of (str, str)
        Names of those that take results, and of which kind: ``dicom``, or that of an endpoint.
    refusals : bool
        They are told of what was not analysed, too.
    lang : str
        In which language.
    """

    destinations: tuple[tuple[str, str], ...] = ()
    refusals: bool = False
    lang: str = "en"

    @classmethod
    def of(cls, settings: HospitalConfig) -> Outgoing:
        """Read it from the settings."""
        delivery = settings.delivery
        nodes = [(peer.name, "dicom") for peer in delivery.peers if peer.results]
        others = [(one.name, one.kind) for one in delivery.endpoints]
        return cls((*nodes, *others), delivery.refusals, settings.analysis.lang)


_NOBODY = Outgoing()


class Worker:
    """Works on jobs.

    Parameters
    ----------
    jobs : Jobs
    root : Root
    analyst : Analyst
        Reads and predicts.
    settings : JobsConfig
    rules : sequence of Rule
        What is analysed.
    outgoing : Outgoing
        Who is told.
    clock : callable
        As for `Pacer`.
    """

    def __init__(
        self,
        jobs: Jobs,
        root: Root,
        analyst: Analyst,
        settings: JobsConfig,
        rules: Sequence[Rule] = (),
        outgoing: Outgoing = _NOBODY,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jobs = jobs
        self._root = root
        self._analyst = analyst
        self._attempts = settings.attempts
        self._rules = rules
        self._outgoing = outgoing
        self._pacer = Pacer(settings.backoff_s, clock)

    def work(self) -> bool:
        """Do what is to be done for one study; False: there is nothing."""
        with self._jobs.claim(self._is_due, State.SETTLED, State.READ) as job:
            if job is None:
                return False
            if job.attempts >= self._attempts:
                self._give_up(job)
            elif (begun := self._jobs.attempt(job)) is not None:
                self._try(begun)
        return True

    def _is_due(self, job: Job) -> bool:
        mark = job.revision, job.state.value, job.attempts
        return job.attempts >= self._attempts or self._pacer.is_due(job.study, mark, job.attempts)

    def _try(self, job: Job) -> None:
        try:
            with self._root.working(job.name) as folder:
                images = self._gather(job, folder)
                begun: Job | None = job
                if job.state is State.SETTLED:
                    begun = self._look(job, folder, images)
                if begun is not None:
                    job = begun
                    self._predict(job, folder, images[0])
        except HemocastError as error:
            self._jobs.note(job, error.code, str(error))
        # What one study brings about must not end the work on the others.
        except Exception as error:
            fault = internal_error(error)
            self._jobs.note(job, fault.code, str(fault))

    def _give_up(self, job: Job) -> None:
        ended = WorkerDied(
            f"The service was ended {job.attempts} times while it worked on a study",
            "a study that does not end it",
            "Look at its images; 'hemocast serve reprocess' tries again",
        )
        error = (job.code, job.message) if job.code else (ended.code, str(ended))
        if self._jobs.move(job, State.FAILED, error=error) is not None:
            _LOG.error("study %s failed for good after %d attempts", job.name, job.attempts)

    def _gather(self, job: Job, folder: Path) -> list[Path]:
        """Link the images of this revision, and no later ones, into a folder."""
        images = [folder / name for name in self._jobs.files(job.study)]
        with writing():
            for image in images:
                os.link(self._root.study(job.name) / image.name, image)
        return images

    def _look(self, job: Job, folder: Path, images: Sequence[Path]) -> Job | None:
        """Decide what becomes of a study; None: nothing more is to be done."""
        decision = decide(self._rules, facts_of(images, self._jobs.senders(job.study)))
        if decision.skip:
            self._refuse(job, images[0], RULE, decision.skip)
            return None
        looked = self._analyst.look(folder)
        if not looked.scans:
            refusal = looked.refusals[0]
            self._refuse(job, images[0], refusal.code, str(refusal))
            return None
        moved = self._jobs.move(job, State.READ, model=decision.model)
        return None if moved is None else self._jobs.attempt(moved)

    def _refuse(self, job: Job, image: Path, code: str, message: str) -> None:
        """Refuse a study of which no scan was read, and tell of it where that is wanted."""
        files: dict[str, bytes] = {}
        if self._outgoing.refusals:
            lang = self._outgoing.lang
            files = refusal_objects(image, code, message, revision=job.revision, lang=lang)
        result = CaseResult(1, "refused", code, message)
        self._finish(job, [Finding(result, {}, files)], image)

    def _predict(self, job: Job, folder: Path, image: Path) -> None:
        findings = self._analyst.predict(folder, job.model, job.revision)
        for one in findings:
            if one.result.status == "failed":
                self._jobs.note(job, one.result.code, one.result.message)
                return
        self._finish(job, findings, image)

    def _finish(self, job: Job, findings: Sequence[Finding], image: Path) -> None:
        """Keep what was found, and plan whom it is sent to, in one move."""
        if not self._jobs.stands(job):  # late images came, or another service has taken over
            return
        self._keep(job, findings)
        scanner = scanner_of(image)
        results = [_result(job, number, one, scanner) for number, one in enumerate(findings)]
        done = [one for one in findings if one.result.prediction is not None]
        error = ("", "") if done else (findings[0].result.code, findings[0].result.message)
        to = State.PREDICTED if done else State.REFUSED
        files = [
            f"{_folder(one)}/{_OBJECTS}/{name}"
            for one in findings
            if one.result.prediction is not None or self._outgoing.refusals
            for name in one.objects
        ]
        also = [
            partial(add_results, results=results),
            *(
                partial(add_deliveries, job=job, peers=(name,), files=wanted)
                for name, kind in self._outgoing.destinations
                if (wanted := [file for file in files if is_for(kind, file)])
            ),
        ]
        moved = self._jobs.move(job, to, error=error, also=also)
        if moved is None and self._jobs.get(job.study).revision != job.revision:
            shutil.rmtree(self._root.result(job.name, job.revision), ignore_errors=True)

    def _keep(self, job: Job, findings: Sequence[Finding]) -> None:
        """Write the files of a result whole or not at all; those of an attempt before are gone."""
        kept = self._root.result(job.name, job.revision)
        with self._root.working(f"{job.name}-out") as made:
            for one in findings:
                folder = made / _folder(one)
                for name, content in one.files.items():
                    write_bytes(folder / name, content, private=True)
                for name, content in one.objects.items():
                    write_bytes(folder / _OBJECTS / name, content, private=True)
            with writing():
                kept.parent.mkdir(mode=0o700, exist_ok=True)
                shutil.rmtree(kept, ignore_errors=True)
                made.rename(kept)
                flush(kept.parent)


def _folder(one: Finding) -> str:
    return one.result.scan_id or "study"


def _result(job: Job, number: int, one: Finding, scanner: str) -> Result:
    result = one.result
    prediction = result.prediction
    return Result(
        study=job.study,
        revision=job.revision,
        scan=result.scan_id or f"-{number}",
        status=result.status,
        code=result.code,
        probability=None if prediction is None else float(prediction.probability),
        model="" if prediction is None else prediction.model_hash,
        participant=result.participant_id or "",
        scanner=scanner,
        simulated=result.simulated,
        signs=_numbers(result.signs or {}),
    )


def _numbers(cells: Mapping[str, str]) -> dict[str, float]:
    return {name: float(cells[name]) for name in FEATURES if cells.get(name)}
