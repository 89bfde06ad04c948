"""A dataset of several sites in; what they learn apart, in one place and alone, out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hemocast.config import Config
from hemocast.dataset import Dataset
from hemocast.dataset.split.by_patient import split_patients
from hemocast.dataset.split.draw import sites_of
from hemocast.errors import TooFewPatients
from hemocast.federate import Findings, Plan, Privacy
from hemocast.federate.keys import make_key
from hemocast.federate.receipt import site_card
from hemocast.federate.rehearsal import Rehearsal, rehearse
from hemocast.files import Output, claim, remove_temporary
from hemocast.model import Purpose
from hemocast.pipeline.clock import stage_of
from hemocast.pipeline.training_data import Cohort, prepare_cohort, try_model

if TYPE_CHECKING:
    from hemocast.train import StackTable

KIND = "federation"
PREDICTIONS, PLAN, STATE, SITES = "predictions.csv", "plan.json", "state.json", "sites"
Floats = NDArray[np.float64]
USUAL = (
    (2.387, 2.4, -1.03, 0.491, 0.141, 0.533, 0.184, 0.042),
    (0.783, 0.424, 0.943, 0.697, 0.146, 0.378, 0.331, 0.804),
)
"""Mean and standard deviation of what the encoder that comes along finds on 258 scans of simulated
patients (preset paper): the plan's scale, so that no mean of a hospital has to travel."""
COLUMNS = (
    "participant_id", "scan_id", "label", "probability", "model", "threshold", "site", "simulated",
)  # fmt: skip


@dataclass(frozen=True)
class FederateOptions:
    """How to rehearse.

    Parameters
    ----------
    test_fraction : float
        Of each site's patients, of each class: nobody learns from them.
    rounds, local_steps, proximal
        See `hemocast.federate.plan.Plan`.
    workers : int
        Processes for preparing.
    progress : callable, optional
        Called with (stage, done, total).
    privacy : Privacy or None
        Differential privacy of the sites' updates.
    secure_aggregation : bool
        The plan asks for it; it changes nothing in one process, where there is nobody to hide from.
    """

    test_fraction: float = 0.3
    rounds: int = 60
    local_steps: int = 10
    proximal: float = 0.0
    workers: int = 1
    progress: Callable[[str, int, int], None] | None = None
    privacy: Privacy | None = None
    secure_aggregation: bool = False


@dataclass(frozen=True)
class Rehearsed:
    """What was written.

    Parameters
    ----------
    predictions : Path
        The table of the test patients, four models, with their sites.
    learned : Rehearsal
    refused : int
        Scans that could not be prepared.
    """

    predictions: Path
    learned: Rehearsal
    refused: int


def rehearse_dataset(
    dataset: Dataset, config: Config, out: Path, purpose: Purpose, options: FederateOptions
) -> Rehearsed:
    """Let each site of a dataset act as a hospital of its own, all in this process.

    Parameters
    ----------
    dataset : Dataset
        With labels, and sites in ``participants.tsv``; or a folder of stacks.
    config : Config
        With an encoder; ``config.train.seed`` draws the test patients.
    out : Path
        Folder for the predictions, the signed plan, and of each site its key, card and receipt.
    purpose : Purpose
        What the model is for.
    options : FederateOptions

    Raises
    ------
    MissingExtra, ConfigError, ModelNotFound
        Training needs what is not installed, or there is no encoder.
    NothingThere, DatasetError, TableError
        There is no dataset of Hemocast's, or labels or sites are missing or bad.
    TooFewPatients
        There are fewer than two sites, or one has too few patients of a class.
    OutputExists, NotWritable, InUse
        The folder holds something else, or cannot be written to.
    """
    from hemocast.train.pretrain.head import encoder_network, findings_of

    cohort, sites = Cohort.of(dataset), sites_of(dataset)
    held = _held_out(cohort.labels, sites, config.train.seed, options.test_fraction)
    try_model(config)
    encoder = encoder_network(config)
    with claim(out, KIND) as output:
        remove_temporary(out)
        moved = stage_of(options.progress, "preparing")
        prepared = prepare_cohort(
            cohort, config.prepare, out / "prepared", learned=(), workers=options.workers,
            progress=moved,
        )  # fmt: skip
        table = prepared.table
        findings = findings_of(encoder, table)
        plan = plan_of(config, purpose, options, dataset.simulator_version())
        learned = _learn(table, findings, sites, held, plan, out)
        simulated = int(dataset.is_simulated())
        rows = list(_rows(table, findings, sites, held, learned))
        rows = [row | {"simulated": simulated} for row in rows]
        output.write_table(PREDICTIONS, rows, COLUMNS)
        _write_sites(output, learned)
    return Rehearsed(out / PREDICTIONS, learned, len(prepared.refused))


def _held_out(
    labels: Mapping[str, int], sites: Mapping[str, str], seed: int, fraction: float
) -> frozenset[str]:
    """Draw each site's test patients; refuse patients without a site, and a single site."""
    names = sorted({sites[one] for one in labels if one in sites})
    lacking = sum(one not in sites for one in labels)
    if len(names) < 2 or lacking:
        raise TooFewPatients(
            f"{len(names)} site(s), and {lacking} patient(s) without one",
            "at least two sites, and a site for every patient",
            "Complete the column site of participants.tsv",
        )
    held: set[str] = set()
    for name in names:
        own = {one: label for one, label in labels.items() if sites[one] == name}
        held |= set(split_patients(own, fraction, seed).parts["test"])
    return frozenset(held)


def plan_of(
    config: Config, purpose: Purpose, options: FederateOptions, simulator: int | None
) -> Plan:
    """Return a plan that names no hospital yet.

    Parameters
    ----------
    config : Config
        With the encoder; ``config.train.seed`` deals patients into folds.
    purpose : Purpose
        What the model is for.
    options : FederateOptions
    simulator : int or None
        Version of the simulator that made all scans; None: they show patients.

    Raises
    ------
    ModelNotFound, ModelCorrupt
        There is no such encoder.
    """
    from hemocast.train.pretrain.encoder import read_about

    return Plan(
        name=purpose.name,
        horizon=purpose.horizon,
        population=purpose.population,
        encoder=read_about(Path(str(config.train.encoder))).weights_hash,
        prepare=config.prepare,
        middle=USUAL[0],
        spread=USUAL[1],
        sites={"not yet named": "0" * 64},
        rounds=options.rounds,
        local_steps=options.local_steps,
        proximal=options.proximal,
        privacy=options.privacy,
        secure_aggregation=options.secure_aggregation,
        least_sites=3 if options.secure_aggregation else 2,
        simulator=simulator,
        seed=config.train.seed,
    )


def _learn(
    table: StackTable,
    findings: Floats,
    sites: Mapping[str, str],
    held: frozenset[str],
    plan: Plan,
    out: Path,
) -> Rehearsal:
    """Give each site its own scans, but for those of the test patients, and let them learn."""
    people = np.array(table.participant_id, object)
    where = np.array([sites[one] for one in people])
    tested = np.isin(people.astype(str), list(held))
    whole = Findings(findings, np.array(table.label, np.int64), people)
    parts = {str(one): whole.part((where == one) & ~tested) for one in np.unique(where)}
    keys = {name: make_key(out / SITES / _folder(name) / "site.key") for name in parts}
    return rehearse(plan, parts, keys, make_key(out / "coordinator.key"), out / STATE)


def _rows(
    table: StackTable,
    findings: Floats,
    sites: Mapping[str, str],
    held: frozenset[str],
    learned: Rehearsal,
) -> Iterator[dict[str, Any]]:
    """Give the rows of the test patients, way by way."""
    threshold = learned.federated.calibration.threshold
    for row, (person, scan) in enumerate(zip(table.participant_id, table.scan_id, strict=True)):
        if person not in held:
            continue
        site = sites[person]
        for model, said in learned.probabilities(site, findings[row : row + 1]).items():
            yield {
                "participant_id": person,
                "scan_id": scan,
                "label": table.label[row],
                "probability": round(float(said[0]), 6),
                "model": model,
                "threshold": round(threshold, 6),
                "site": site,
            }


def _write_sites(output: Output, learned: Rehearsal) -> None:
    """Write the plan, and of each site what it keeps: its receipt and its card."""
    output.write_text(PLAN, learned.signed.to_json())
    for receipt in learned.federated.receipts:
        folder = f"{SITES}/{_folder(receipt.site)}"
        output.write_json(f"{folder}/receipt.json", asdict(receipt))
        output.write_text(f"{folder}/card.md", site_card(receipt, learned.signed))


def _folder(site: str) -> str:
    """Name a site's folder; its name may hold what no folder's can."""
    plain = "".join(letter if letter.isalnum() else "-" for letter in site)[:40]
    return f"{plain}-{hashlib.sha256(site.encode()).hexdigest()[:6]}"
