"""Cohorts of simulated stacks in, an encoder out; goes on where it stopped."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hemocast.config import NetConfig
from hemocast.errors import UsageError
from hemocast.files import check_folder, claim, remove_temporary
from hemocast.train.allocator import keep_freed_memory
from hemocast.train.pretrain.encoder import KIND, About, write_encoder
from hemocast.train.pretrain.findings import LESIONS, STACKS, FindingsTable
from hemocast.train.pretrain.learn import Cache, Learning, PretrainCourse
from hemocast.train.pretrain.lessons import OWN_NAME, lesson_of

OWN = NetConfig(name=OWN_NAME, pool=6, smooth=3, dropout=0.0)
"""The usual settings of Hemocast's own network: pixels of 6 mm, four times as quick as of 3 mm."""


@dataclass(frozen=True)
class PretrainPlan:
    """What is to be pre-trained, and how.

    Parameters
    ----------
    net : NetConfig
        Of the network; the members of Hemocast's own come from `members`.
    course : PretrainCourse
        Of the first member; each further one has the next seed.
    members : int
        Of Hemocast's own network; any other is one.
    limit_s : float
        Seconds by the clock after which to stop; started again, the run goes on.
    progress : callable, optional
        Called with (stage, done, total).
    """

    net: NetConfig = OWN
    course: PretrainCourse = field(default_factory=PretrainCourse)
    members: int = 3
    limit_s: float = math.inf
    progress: Callable[[str, int, int], None] | None = None


def pretrain_encoder(cohorts: Sequence[Path], out: Path, plan: PretrainPlan) -> bool:
    """Pre-train the members of an encoder on the findings of simulated scans.

    Parameters
    ----------
    cohorts : sequence of Path
        Folders that ``hemocast simulate --format stacks`` wrote. Only their stacks and findings are
        opened.
    out : Path
        New, or begun with the same scans and settings.
    plan : PretrainPlan

    Returns
    -------
    bool
        Whether it is finished; False where the limit came first.

    Raises
    ------
    NothingThere, TableError
        A cohort lacks stacks or findings, or they are bad.
    OutputExists
        `out` holds something else, or the pre-training of other scans or settings.
    NotWritable, NoSpace, InUse
        `out` cannot be written to, or somebody else does.
    UsageError, ConfigError
        More members than one of another network than Hemocast's own; or there is no such network.
    """
    own = plan.net.name == OWN.name
    if plan.members > 1 and not own:
        raise UsageError(
            f"{plan.members} members are asked for, of {plan.net.name}",
            "one: only Hemocast's own network is the mean of several",
            "Pre-train with other seeds in folders of their own instead",
        )
    began = time.monotonic()
    tables = [FindingsTable.of_cohort(cohort) for cohort in cohorts]
    check_folder(out, KIND)
    net = plan.net.model_copy(update={"options": {"members": plan.members}}) if own else plan.net
    lesson = lesson_of(net, tables[0].open(STACKS).shape[1])
    keep_freed_memory()
    with claim(out, KIND) as output:
        remove_temporary(out)
        cache = Cache.of(tables, lesson, out)
        learned = []
        for k in range(plan.members):
            folder = out / f"member-{k}"
            folder.mkdir(exist_ok=True)
            course = replace(plan.course, seed=plan.course.seed + k)
            learning = Learning(lesson, course, cache, folder)
            left_s = plan.limit_s - (time.monotonic() - began)
            if not learning.run(_stage(plan, k), left_s):
                return False
            learned.append(learning.average)
        about = About(
            net=net,
            scans=sum(map(len, tables)),
            steps=plan.course.steps,
            seed=plan.course.seed,
            data_hash=_hash(tables),
        )
        write_encoder(learned, about, output)
        cache.remove(out)
    return True


def _stage(plan: PretrainPlan, k: int) -> Callable[[int, int], None] | None:
    progress = plan.progress
    if progress is None:
        return None
    name = f"member {k + 1} of {plan.members}"
    return lambda done, total: progress(name, done, total)


def _hash(tables: Sequence[FindingsTable]) -> str:
    digest = hashlib.sha256()
    for table in tables:
        digest.update(table.target.tobytes())
        for name in (STACKS, LESIONS):
            array = table.open(name)
            for row in array:
                digest.update(row.tobytes())
    return digest.hexdigest()
