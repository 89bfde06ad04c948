"""What hospitals lose by learning apart: federated.py LEARNED FRESH [SEEDS].

LEARNED and FRESH are tables of findings, as `federated_findings.py` makes them: comma-separated
files, one after the other. Patients without a column site are dealt to four hospitals (40, 30, 20,
10 %) by each of SEEDS (3) seeds. Prints AUC, observed / expected and calibration slope of what is
learned alone, in one place, apart, and apart with a local calibration, on the fresh patients, and
the difference in AUC, pooled minus federated, paired. SIMULATED.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hemocast.federate import Findings, Plan
from hemocast.federate.rehearsal import FEDERATED, POOLED, Rehearsal, rehearse
from hemocast.pipeline.federate import USUAL
from hemocast.stats import Cases, delong_test, measure_calibration
from hemocast.stats.discrimination.delong import auc_interval

SHARES = {"university": 0.4, "city": 0.3, "county": 0.2, "rural": 0.1}


def read(names: str) -> pd.DataFrame:
    """Read tables of findings, one below the other."""
    return pd.concat([pd.read_csv(Path(name)) for name in names.split(",")], ignore_index=True)


def findings_of(table: pd.DataFrame) -> Findings:
    """Return a table's findings."""
    values = table[[name for name in table if name.startswith("finding_")]].to_numpy(np.float64)
    return Findings(
        values,
        table["label"].to_numpy(np.int64),
        table["participant_id"].to_numpy(object),
    )


def dealt(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Deal patients to hospitals where the table names none."""
    if "site" in table:
        return table
    people = np.unique(table["participant_id"])
    names = np.random.default_rng(seed).choice(list(SHARES), len(people), p=list(SHARES.values()))
    return table.assign(site=table["participant_id"].map(dict(zip(people, names, strict=True))))


def learn(table: pd.DataFrame, seed: int) -> Rehearsal:
    """Learn in all ways."""
    parts = {str(name): findings_of(rows) for name, rows in table.groupby("site")}
    keys = {name: Ed25519PrivateKey.generate() for name in parts}
    plan = Plan(
        name="ht", horizon="HT as simulated", population="simulated heads", encoder="0" * 64,
        middle=USUAL[0], spread=USUAL[1], sites={"any": "0" * 64}, seed=seed,
    )  # fmt: skip
    return rehearse(plan, parts, keys, Ed25519PrivateKey.generate())


def main(learned: str, fresh: str, seeds: int) -> None:
    """Print the table of every seed, and the differences."""
    others = read(fresh)
    for seed in range(seeds):
        made = learn(dealt(read(learned), seed), seed)
        said = {
            str(site): made.probabilities(str(site), findings_of(rows).values)
            for site, rows in others.groupby("site")
        }
        rows = others.sort_values("site", kind="stable")
        cases = {
            way: Cases(
                rows["label"], np.concatenate([one[way] for one in said.values()]),
                rows["participant_id"],
            )
            for way in next(iter(said.values()))
        }  # fmt: skip
        for way, one in cases.items():
            area, fit = auc_interval(one), measure_calibration(one)
            print(
                f"{seed} {way:24} AUC {area.value:.3f} ({area.ci_low:.3f} to {area.ci_high:.3f}) "
                f"O/E {fit.observed_expected.value:.2f} slope {fit.slope.value:.2f}"
            )
        both = np.array([cases[way].score for way in (POOLED, FEDERATED)])
        gap = delong_test(Cases(rows["label"], both, rows["participant_id"]))
        print(
            f"{seed} pooled - federated {gap.difference:+.4f} ({gap.ci_low:+.4f} to "
            f"{gap.ci_high:+.4f}), {cases[POOLED].n_patients} patients"
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 3)
