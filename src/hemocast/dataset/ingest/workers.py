"""Who reads the scans: processes here, or those of a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hemocast.errors import MissingExtra, NothingThere


@dataclass(frozen=True)
class Workers:
    """Who reads the scans.

    Parameters
    ----------
    processes : int
        On this machine.
    cluster : str or None
        Address of a dask scheduler, whose workers do the reading instead. They must see the
        dataset, the sources and the folder for temporary files under the same paths.
    """

    processes: int = 1
    cluster: str | None = None

    @contextmanager
    def ready(self) -> Iterator[int]:
        """Say how many scans are read at once, within its context.

        Raises
        ------
        MissingExtra
            A cluster is named and its extra is not installed.
        NothingThere
            Its scheduler does not answer.
        """
        if self.cluster is None:
            yield self.processes
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
            client = Client(self.cluster, timeout=30)  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise NothingThere(
                f"The scheduler does not answer ({type(error).__name__})",
                "the address of a running dask scheduler, such as tcp://host:8786",
                "Check the address, and that the scheduler runs",
            ) from None
        with client, joblib.parallel_config(backend="dask", n_jobs=-1):
            yield max(1, joblib.effective_n_jobs(-1))
