"""One study after another: read, predicted, and its result kept, whatever ends the service."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from hemocast.errors import HemocastError, WorkerDied
from hemocast.faults import internal_error
from hemocast.files import write_bytes, writing
from hemocast.serve.hospital.analyst import Analyst, Finding
from hemocast.serve.hospital.root import Root, flush
from hemocast.serve.hospital.rules import decide, facts_of
from hemocast.serve.hospital.settings import JobsConfig, Rule
from hemocast.serve.hospital.store.jobs import Job, Jobs, State
from hemocast.serve.hospital.store.results import Result, add_results

_LOG = logging.getLogger(__name__)
RULE = "rule"
"""In place of a refusal's code: a rule of the settings says that a study is not analysed."""


class Pacer:
    """Says when a job may be tried again: after a time that doubles with every attempt.

    The time is the machine's monotonic clock, since this process first saw the attempt.

    Parameters
    ----------
    backoff_s : float
        Before the second attempt.
    clock : callable
        Seconds that only ever rise.
    """

    def __init__(self, backoff_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._backoff_s = backoff_s
        self._clock = clock
        self._seen: dict[int, tuple[tuple[int, str, int], float]] = {}

    def ready(self, job: Job) -> bool:
        """Tell whether a job's time has come."""
        if job.attempts == 0:
            self._seen.pop(job.study, None)
            return True
        mark = job.revision, job.state.value, job.attempts
        seen = self._seen.get(job.study)
        since = self._clock() if seen is None or seen[0] != mark else seen[1]
        self._seen[job.study] = mark, since
        wait: float = self._backoff_s * 2 ** (job.attempts - 1)
        return self._clock() - since >= wait


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
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jobs = jobs
        self._root = root
        self._analyst = analyst
        self._attempts = settings.attempts
        self._rules = rules
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
        return job.attempts >= self._attempts or self._pacer.ready(job)

    def _try(self, job: Job) -> None:
        try:
            with self._root.working(job.name) as folder:
                images = self._gather(job, folder)
                begun: Job | None = job
                if job.state is State.SETTLED:
                    begun = self._look(job, folder, images)
                if begun is not None:
                    job = begun
                    self._predict(job, folder)
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
            self._jobs.move(job, State.REFUSED, error=(RULE, decision.skip))
            return None
        looked = self._analyst.look(folder)
        if not looked.scans:
            refusal = looked.refusals[0]
            self._jobs.move(job, State.REFUSED, error=(refusal.code, str(refusal)))
            return None
        moved = self._jobs.move(job, State.READ, model=decision.model)
        return None if moved is None else self._jobs.attempt(moved)

    def _predict(self, job: Job, folder: Path) -> None:
        findings = self._analyst.predict(folder, job.model)
        for one in findings:
            if one.result.status == "failed":
                self._jobs.note(job, one.result.code, one.result.message)
                return
        self._keep(job, findings)
        results = [_result(job, number, one) for number, one in enumerate(findings)]
        done = [one for one in findings if one.result.prediction is not None]
        error = ("", "") if done else (findings[0].result.code, findings[0].result.message)
        to = State.PREDICTED if done else State.REFUSED
        add = partial(add_results, results=results)
        if self._jobs.move(job, to, error=error, also=[add]) is None:
            shutil.rmtree(self._root.result(job.name, job.revision), ignore_errors=True)

    def _keep(self, job: Job, findings: Sequence[Finding]) -> None:
        """Write the files of a result whole or not at all; those of an attempt before are gone."""
        kept = self._root.result(job.name, job.revision)
        with self._root.working(f"{job.name}-out") as made:
            for one in findings:
                for name, content in one.files.items():
                    write_bytes(made / (one.result.scan_id or "-") / name, content, private=True)
            with writing():
                kept.parent.mkdir(mode=0o700, exist_ok=True)
                shutil.rmtree(kept, ignore_errors=True)
                made.rename(kept)
                flush(kept.parent)


def _result(job: Job, number: int, one: Finding) -> Result:
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
    )
