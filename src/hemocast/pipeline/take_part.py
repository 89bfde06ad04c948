"""What hospital and coordinator do before and after the rounds, each on its own machine.

A hospital enrols; the coordinator signs a plan of those who enrolled; each hospital prepares its
dataset under the plan; and when the rounds are over each makes a model folder of the result.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hemocast.config import Config
from hemocast.dataset import Dataset
from hemocast.errors import NotAgreed, UsageError
from hemocast.federate import Findings, Plan, SignedPlan, Site, sign_plan
from hemocast.federate.flower.project import write_app
from hemocast.federate.folder import (
    ANSWERED,
    COORDINATOR,
    ENROLMENT,
    KEY,
    PLAN,
    Enrolment,
    read_arrays,
    read_enrolment,
    read_plan,
    read_result,
    read_signed,
    write_arrays,
    write_findings,
)
from hemocast.federate.keys import make_key, public_of, read_key
from hemocast.federate.run import Federated
from hemocast.federate.site import Counts
from hemocast.files import claim, new_folder, remove_temporary, write_text
from hemocast.model import Model, Purpose, Recipe, TrainingFacts, save_model
from hemocast.model.gate import learn_gate
from hemocast.pipeline.clock import stage_of
from hemocast.pipeline.training_data import Cohort, prepare_cohort, stack_of, try_model
from hemocast.volume import to_levels

HOSPITAL = "hospital of a federation"
USUAL, COORDINATOR_KEY, APP = "usual.npz", "coordinator.key", "app"
"""What is usual of a hospital's scans; the coordinator's private key; what ``flwr run`` takes."""


@dataclass(frozen=True)
class Ready:
    """What a hospital takes part with.

    Parameters
    ----------
    counts : Counts
        Its patients, and those with HT.
    refused : int
        Scans that could not be prepared.
    """

    counts: Counts
    refused: int


def enrol(folder: Path, name: str) -> Enrolment:
    """Make a hospital's folder with its key; return what goes to the coordinator.

    Raises
    ------
    UsageError
        The name cannot be a hospital's.
    NotAgreed, NothingThere
        The folder was enrolled under another name, or its key is gone.
    OutputExists, NotWritable, InUse
        The folder holds something else, or cannot be written to.
    MissingExtra
        See `hemocast.federate.keys.make_key`.
    """
    try:
        Enrolment(site=name, key="0" * 64)
    except ValueError as error:
        raise UsageError(
            f"A hospital cannot be named {name[:40]!r}",
            "up to 60 letters, digits and . _ + - or spaces, a letter or digit first",
            "Choose another --name",
        ) from error
    with claim(folder, HOSPITAL) as output:
        if (folder / ENROLMENT).is_file():
            if read_enrolment(folder / ENROLMENT).site != name:
                raise NotAgreed(
                    "The folder was enrolled under another name",
                    "the same name, or a new folder",
                    "Name another folder: a key stands for one hospital",
                )
            read_key(folder / KEY)  # a new one would be another hospital to the plan
        said = Enrolment(site=name, key=public_of(make_key(folder / KEY)))
        output.write_json(ENROLMENT, said.model_dump(mode="json"))
    return said


def make_plan(enrolments: Sequence[Path], out: Path, plan: Plan) -> SignedPlan:
    """Sign a plan of the hospitals that enrolled, and make the coordinator's folder.

    Parameters
    ----------
    enrolments : sequence of Path
        ``site.json`` of each hospital.
    out : Path
        New or empty: gets the plan, both keys of the coordinator, and what ``flwr run`` takes.
    plan : Plan
        Its `sites` are filled in.

    Raises
    ------
    NothingThere, NotAgreed
        An enrolment is missing or is none.
    UsageError
        There are fewer hospitals than the plan needs, or two with one name or key.
    OutputExists, NotWritable
        The folder holds something, or cannot be made.
    """
    hospitals = [read_enrolment(path) for path in enrolments]
    for what, values in (
        ("name", [one.site for one in hospitals]),
        ("key", [one.key for one in hospitals]),
    ):
        if twice := [value for value, count in Counter(values).items() if count > 1]:
            raise UsageError(
                f"{len(twice)} {what}(s) are those of two hospitals",
                f"a {what} of its own for each hospital",
                "Ask the hospitals for their enrolments again",
            )
    if len(hospitals) < plan.least_sites:
        raise UsageError(
            f"{len(hospitals)} hospital(s) enrolled",
            f"at least {plan.least_sites}, as the plan asks for",
            "Wait for more hospitals",
        )
    with new_folder(out) as folder:
        key = make_key(folder / COORDINATOR_KEY)
        sites = {one.site: one.key for one in hospitals}
        signed = sign_plan(plan.model_copy(update={"sites": sites}), key)
        write_text(folder / PLAN, signed.to_json())
        write_text(folder / COORDINATOR, signed.coordinator + "\n")
        write_app(folder / APP)
    return signed


def prepare_hospital(
    dataset: Dataset,
    folder: Path,
    plan: Path,
    coordinator: str,
    settings: Config,
    workers: int = 1,
    progress: Callable[[str, int, int], None] | None = None,
) -> Ready:
    """Find under a plan what the encoder finds on a hospital's scans, and keep it in its folder.

    Nothing leaves the machine. The folder then holds all that the hospital answers from.

    Parameters
    ----------
    dataset : Dataset
        The hospital's own, with labels.
    folder : Path
        Of `enrol`.
    plan : Path
        The coordinator's ``plan.json``.
    coordinator : str
        Its public key, as the hospital got it by another way.
    settings : Config
        With the encoder that the plan names; preparation is the plan's.
    workers : int
        Processes for preparing.
    progress : callable, optional
        Called with (stage, done, total).

    Returns
    -------
    Ready

    Raises
    ------
    NothingThere, DatasetError, TableError
        The folder was not enrolled, or there is no plan, or no dataset with labels.
    NotAgreed
        The plan is not as its coordinator signed it, does not name this hospital with its key, or
        is for another encoder or another kind of scans; or the folder answers under another plan.
    TooFewPatients
        Too few patients of a class, or every scan was refused.
    MissingExtra, OutputExists, NotWritable, InUse
        Training is not installed; the folder is not a hospital's, or somebody writes to it.
    """
    from hemocast.train.pretrain.head import encoder_network, findings_of

    me, key = read_enrolment(folder / ENROLMENT), read_key(folder / KEY)
    signed = read_signed(plan, coordinator)
    _refuse_scans(signed.plan, dataset.simulator_version())
    settings = _as_planned(settings, signed.plan)
    cohort = Cohort.of(dataset)
    try_model(settings)
    with claim(folder, HOSPITAL) as output:
        remove_temporary(folder)
        if (folder / ANSWERED).is_file() and read_plan(folder) != signed:
            raise NotAgreed(
                "The folder has answered under another plan",
                "the same plan, or a folder of its own for each",
                "Enrol with a new folder",
            )
        prepared = prepare_cohort(
            cohort, settings.prepare, folder / "prepared", learned=cohort.labels, workers=workers,
            progress=stage_of(progress, "preparing"),
        )  # fmt: skip
        table = prepared.table
        findings = Findings(
            findings_of(encoder_network(settings), table),
            np.array(table.label, np.int64),
            np.array(table.participant_id, object),
        )
        counts = Site(me.site, findings, signed, key).counts()
        write_findings(folder, findings)
        levels = np.stack([to_levels(stack.frames) for stack in prepared.examples])
        write_arrays(folder / USUAL, levels=levels, measured=prepared.measured)
        output.write_text(PLAN, signed.to_json())
        output.write_text(COORDINATOR, coordinator + "\n")
    return Ready(counts, len(prepared.refused))


def make_model(folder: Path, result: Path, out: Path, settings: Config) -> Model:
    """Make a model folder of what came of the rounds.

    The weights are the result's; what is usual of a scan is learned of this hospital's own.

    Parameters
    ----------
    folder : Path
        Of `prepare_hospital`.
    result : Path
        ``result.json``, as the coordinator sent it.
    out : Path
        Folder for the model; new or empty.
    settings : Config
        With the plan's encoder.

    Raises
    ------
    NothingThere, NotAgreed
        A file is missing, the result is not of the folder's plan, or the encoder not the plan's.
    OutputExists, NotWritable
        `out` holds something, or cannot be made.
    MissingExtra
        Training is not installed.
    """
    from hemocast.train.pretrain.head import encoder_network

    signed = read_plan(folder)
    plan, found = signed.plan, read_result(result, signed)
    settings = _as_planned(settings, plan)
    try_model(settings)
    encoder = encoder_network(settings)
    encoder.predict_by(found.weight, found.bias)
    levels, measured = read_arrays(folder / USUAL, "levels", "measured")
    purpose = Purpose(
        plan.name, plan.horizon, plan.population,
        simulated_training_data=plan.simulator is not None, simulator=plan.simulator,
    )  # fmt: skip
    recipe = Recipe(
        settings.net, plan.prepare, found.calibration, _facts(found),
        learn_gate(measured, simulated=purpose.simulated_training_data),
    )  # fmt: skip
    return save_model(
        encoder.net, out, purpose, recipe, [stack_of(one, plan.prepare) for one in levels]
    )


def _refuse_scans(plan: Plan, simulator: int | None) -> None:
    """Refuse scans of another kind than the plan's."""
    if simulator != plan.simulator:
        raise NotAgreed(
            f"The dataset's scans {_kind(simulator)}",
            f"scans that {_kind(plan.simulator)}, as in the other hospitals",
            "Take another dataset, or ask for another plan",
        )


def _as_planned(settings: Config, plan: Plan) -> Config:
    """Return the settings with the plan's preparation; refuse another encoder than the plan's."""
    from hemocast.train.pretrain.encoder import read_about

    if read_about(Path(str(settings.train.encoder))).weights_hash != plan.encoder:
        raise NotAgreed(
            "The encoder here is not the plan's",
            "the same weights in every hospital",
            "Install the version of Hemocast that the coordinator has",
        )
    return settings.model_copy(update={"prepare": plan.prepare})


def _kind(simulator: int | None) -> str:
    return "show patients" if simulator is None else f"are simulated (version {simulator})"


def _facts(found: Federated) -> TrainingFacts:
    """Say of whom the model learned, as the hospitals' receipts do."""
    patients = sum(one.n_patients for one in found.receipts)
    signatures = "\n".join(sorted(one.signature for one in found.receipts))
    return TrainingFacts(
        data_hash=hashlib.sha256(signatures.encode()).hexdigest(),
        n_patients=patients,
        n_hospitals=len(found.receipts),
        prevalence=sum(one.n_events for one in found.receipts) / patients,
    )
