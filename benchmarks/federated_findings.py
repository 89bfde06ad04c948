"""Findings of simulated patients of practice: federated_findings.py OUT ROLE SEED PART [N].

Simulates N (200) patients of preset practice, one scan each, and keeps in OUT/ROLE-SEED-PART.csv
what the encoder that comes along finds on every scan, with site, outcome and true image risk: all
that `benchmarks/federated.py` needs, at 1.4 s of CPU a patient. ROLE is learned or fresh; what is
there already is not made again.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from hemocast.config import Config
from hemocast.files import write_text
from hemocast.pipeline.benchmark.data import FreshPatients
from hemocast.simulate import PRACTICE, simulate_cohort
from hemocast.simulate.presets import resized
from hemocast.train import with_encoder
from hemocast.train.pretrain.head import encoder_network, findings_of

ROLES = {"learned": 4100, "fresh": 14100}
"""Added to the seeds, so that no patient is both."""


def main(out: Path, role: str, seed: int, part: int, patients: int) -> None:
    """Simulate, look, and keep what was found."""
    table = out / f"{role}-{seed}-{part}.csv"
    if table.exists():
        return
    config = resized(PRACTICE, ROLES[role] + 100 * seed + part, patients)
    with tempfile.TemporaryDirectory(dir=out) as folder:
        cohort = Path(folder) / "cohort"
        one_each = config.model_copy(update={"scans_per_patient": 1})
        simulate_cohort(one_each, cohort, format="stacks")
        write_text(table, _look(cohort, f"{role}{seed}{part}").to_csv(index=False))


def _look(cohort: Path, name: str) -> pd.DataFrame:
    """Return a row a scan."""
    fresh = FreshPatients.of(cohort)
    settings = with_encoder(Config(), Path("own"))
    findings = findings_of(encoder_network(settings), fresh.table)
    people = pd.read_csv(cohort / "stacks" / "participants.tsv", sep="\t")
    site = people.set_index("participant_id")["site"]
    risk = dict(zip(fresh.table.participants, fresh.image_risk, strict=True))
    who = list(fresh.table.participant_id)
    return pd.DataFrame(
        {
            "participant_id": [f"{name}-{one}" for one in who],
            "site": site.loc[who].to_numpy(),
            "label": fresh.table.label,
            "risk_image": [risk[one] for one in who],
            **{f"finding_{k}": np.round(column, 7) for k, column in enumerate(findings.T)},
        }
    )


if __name__ == "__main__":
    count = int(sys.argv[5]) if len(sys.argv) > 5 else 200
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), count)
