"""``hemocast benchmark``: every model learns from one cohort and is tested on fresh patients."""

from hemocast.pipeline.benchmark.data import BenchmarkData, FreshPatients, Scored
from hemocast.pipeline.benchmark.entries import Entry, entries_of
from hemocast.pipeline.benchmark.run import (
    Benchmarked,
    BenchmarkOptions,
    Cohorts,
    read_rows,
    run_benchmark,
)

__all__ = [
    "BenchmarkData", "BenchmarkOptions", "Benchmarked", "Cohorts", "Entry", "FreshPatients",
    "Scored", "entries_of", "read_rows", "run_benchmark",
]  # fmt: skip
