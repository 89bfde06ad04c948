"""The same work on many patients, by one process or several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from hemocast.simulate.epidemiology.patients import Patient

Each = Callable[[Callable[[Patient], int], Sequence[Patient]], Iterator[int]]


@contextmanager
def open_workers(workers: int) -> Iterator[Each]:
    """Give a function that does something to each of some patients, and yields what it returned.

    The processes are joblib's, which `hemocast.dataset.ingest.run` uses as well: what is called
    within shares them, and they end with the context.

    Parameters
    ----------
    workers : int
        Processes; with 1 the work is done here.
    """
    if workers <= 1:
        yield lambda work, patients: map(work, patients)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor

    def each(work: Callable[[Patient], int], patients: Sequence[Patient]) -> Iterator[int]:
        results: Iterator[int] = Parallel(workers, return_as="generator_unordered", batch_size=1)(
            delayed(work)(patient) for patient in patients
        )
        yield from results

    try:
        yield each
    finally:
        get_reusable_executor().shutdown(wait=True, kill_workers=True)
