"""What ``hemocast evaluate`` takes: predictions of one or more models, checked cell by cell."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from hemocast.dataset.scan_id import ALL
from hemocast.dataset.tables.columns import (
    HT_OR_NOT,
    Column,
    Fault,
    TableSchema,
    parse_table,
    plain,
    refuse,
)
from hemocast.errors import TableError
from hemocast.evaluate.inputs.clinical import groupings_of
from hemocast.evaluate.inputs.labels import join_labels
from hemocast.evaluate.inputs.outcomes import (
    FOLLOW_UP,
    FollowUp,
    LeftOutScans,
    Outcomes,
    follow_up,
    left_out_scans,
    never_observed,
)
from hemocast.stats import Cases, GroupVariable
from hemocast.stats.cases import ModelCases, ThresholdSource
from hemocast.stats.estimate import BoolArray, IntArray
from hemocast.tables import MISSING, PRINTABLE, PRINTABLE_WORDS, called, read_table

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_THRESHOLD = 0.5
_EVEN = (0.2, 0.8)
"""With a share of outcomes outside of these, a threshold of .5 calls next to nothing positive, or
nearly all: where none is given, the share itself is taken."""
ObjectArray = NDArray[np.object_]

Level = Literal["scan", "patient"]

_ONLY_MODEL = "model"
_PATIENT_HINT = (
    "it names the patient of every scan, since patients, not scans, are resampled; if every scan "
    "shows another patient, repeat scan_id there"
)
_LABEL_HINT = "or give the labels to 'hemocast evaluate' as a table of their own, with --labels"


def key_column(name: str, *, required: bool = True) -> Column:
    """Return a column of names that others gave: any text that can be printed."""
    return Column(
        name, required=required, blank=False, pattern=PRINTABLE, described=PRINTABLE_WORDS
    )


PREDICTIONS = TableSchema(
    "predictions.csv",
    (
        key_column("participant_id"),
        key_column("scan_id"),
        Column("label", "flag", words=HT_OR_NOT, required=True, blank=False, hint="1 HT, 0 no HT"),
        Column(
            "probability", "number", required=True, blank=False, low=0, high=1,
            hint="divide percentages by 100; pass logits through the logistic function",
        ),
        key_column("model", required=False),
        Column("threshold", "number", low=0, high=1),
        Column("simulated", "flag"),
        *FOLLOW_UP,
    ),
    ("model", "scan_id"),
)  # fmt: skip
# Columns of `hemocast predict` that are no subgroups.
_NO_GROUP = frozenset(
    {
        "case", "status", "code", "message", "flags", "path", "probability_low",
        "probability_high", "label_set", "logit",
    }
)  # fmt: skip


@dataclass(frozen=True)
class PredictionTable:
    """All scans of a table of predictions, each once, and every model's cases among them.

    Parameters
    ----------
    scan, participant : ndarray of object (str), shape (n,)
        Keys.
    patient : ndarray of int64, shape (n,)
        The participant as a number, in the sorted order of their keys.
    truth : ndarray of bool, shape (n,)
        Outcomes.
    models : tuple of ModelCases
        In the order of the table; their rows are places in these arrays.
    groupings : tuple of GroupVariable
        Subgroups from extra columns: of these scans, then of those of `unseen`.
    unused : tuple of str
        Extra columns that give no subgroups, and why.
    simulated : bool
        A column ``simulated`` holds a 1.
    n_refused : int
        Rows left out, since their ``status`` says that the scan got no prediction.
    unseen : tuple of two ndarray of object (str), shape (m,)
        Participants and scans whose outcome was never observed.
    left_out : tuple of LeftOutScans
        Of every model, the scans that it cannot be judged on.
    follow_up : FollowUp or None
        When patients bled, died or were last seen, where the table says so.
    """

    scan: ObjectArray
    participant: ObjectArray
    patient: IntArray
    truth: BoolArray
    models: tuple[ModelCases, ...]
    groupings: tuple[GroupVariable, ...]
    unused: tuple[str, ...]
    simulated: bool
    n_refused: int
    unseen: tuple[ObjectArray, ObjectArray] = field(
        default_factory=lambda: (np.empty(0, dtype=object), np.empty(0, dtype=object))
    )
    left_out: tuple[LeftOutScans, ...] = ()
    follow_up: FollowUp | None = None

    @property
    def everyone(self) -> tuple[ObjectArray, ObjectArray]:
        """Participants and scans of all rows of the groupings."""
        participant, scan = self.unseen
        return np.concatenate([self.participant, participant]), np.concatenate([self.scan, scan])

    def left_out_of(self, model: str) -> tuple[LeftOutScans, ...]:
        """Return the scans that one model cannot be judged on."""
        return tuple(one for one in self.left_out if one.model == model)


def read_predictions(
    path: Path,
    *,
    threshold: float | None = None,
    labels: Path | None = None,
    spare_labels: Path | None = None,
    level: Level = "scan",
    key: bytes | None = None,
) -> PredictionTable:
    """Read and check ``predictions.csv``.

    Parameters
    ----------
    path : Path
        A table with the columns of `PREDICTIONS`; any other column is a subgroup.
    threshold : float, optional
        For all models, whatever the column ``threshold`` says.
    labels : Path, optional
        A table of labels, for predictions that have none; see `join_labels`.
    spare_labels : Path, optional
        The same, taken only where there is neither `labels` nor a column ``label``.
    level : {"scan", "patient"}
        What is judged: every scan, rows with scan_id ``all`` left out; or every patient once, by
        that row, or by the only scan.
    key : bytes, optional
        Of the pseudonyms, for labels by ``patient_id``.

    Raises
    ------
    NothingThere
        There is no such file.
    TableError
        Anything wrong in one of them; all its faults at once, with row, column and what is
        allowed.
    """
    schema = replace(PREDICTIONS, name=called(path))
    text = plain(schema, read_table(path))
    if "model" not in text.columns:
        text = text.assign(model=_ONLY_MODEL)
    if {"participant_id", "scan_id"} <= set(text.columns):
        text = _of_level(text, level, schema.name)
    refused = _refused(text)
    simulated = False
    source = labels if labels is not None or "label" in text.columns else spare_labels
    if source is not None:
        text, simulated = join_labels(text, refused, source, schema.name, key)
    return _collected(_checked(text, refused, schema), threshold, simulated=simulated)


def _checked(text: pd.DataFrame, refused: pd.Series, schema: TableSchema) -> Outcomes:
    """Parse predictions, labels joined, or refuse them with all their faults."""
    unseen, faults = never_observed(text, refused, schema.name)
    parsed = parse_table(schema, _filled(text, refused, unseen))
    found = Outcomes(text, parsed.table, refused, unseen)
    faults += map(_explained, parsed.faults)
    kept, waiting = found.judged, found.waiting
    faults += _contradictions(kept, waiting, schema.name)
    if not len(kept):
        nothing = ("label", "no outcome was observed")
        column, why = nothing if len(waiting) else ("status", "no scan got a prediction")
        faults.append(Fault(schema.name, column, (), why))
    refuse(tuple(faults))
    return found


def _collected(found: Outcomes, threshold: float | None, *, simulated: bool) -> PredictionTable:
    """Number scans and patients, and put the rows of every model in their places."""
    import pandas as pd

    kept, told = found.judged, found.table[~found.refused]
    first, others = (rows.drop_duplicates("scan_id") for rows in (kept, found.waiting))
    scans = pd.Index(first["scan_id"])
    patient, _ = pd.factorize(first["participant_id"], sort=True)
    extra = [name for name in found.text.columns if name not in _KNOWN and name not in _NO_GROUP]
    groupings, unused = groupings_of(pd.concat([first, others])[extra])
    return PredictionTable(
        scan=first["scan_id"].to_numpy(dtype=object),
        participant=first["participant_id"].to_numpy(dtype=object),
        patient=patient.astype(np.int64),
        truth=first["label"].to_numpy(dtype=bool),
        models=tuple(
            _model(str(name), rows, scans, patient, threshold)
            for name, rows in kept.groupby("model", sort=False)
        ),
        groupings=groupings,
        unused=unused,
        simulated=simulated or bool(told["simulated"].fillna(False).any()),
        n_refused=int(found.refused.sum()),
        unseen=(
            others["participant_id"].to_numpy(dtype=object),
            others["scan_id"].to_numpy(dtype=object),
        ),
        left_out=left_out_scans(found, len(first), pd.Index(others["scan_id"])),
        follow_up=follow_up(found),
    )


_KNOWN = frozenset(column.name for column in PREDICTIONS.columns)


def _model(
    name: str,
    rows: pd.DataFrame,
    scans: pd.Index,
    patient: IntArray,
    threshold: float | None,
) -> ModelCases:
    import pandas as pd

    place = scans.get_indexer(pd.Index(rows["scan_id"])).astype(np.int64)
    cases = Cases(rows["label"].to_numpy(dtype=bool), rows["probability"], patient[place])
    prevalence = cases.n_positive / cases.n

    given = rows["threshold"].dropna()
    source: ThresholdSource = "default"
    at = DEFAULT_THRESHOLD
    if 0 < prevalence < 1 and not _EVEN[0] <= prevalence <= _EVEN[1]:
        at, source = prevalence, "prevalence"
    if threshold is not None:
        at, source = threshold, "option"
    elif len(given):
        at, source = float(given.iloc[0]), "column"
    return ModelCases(
        name=name,
        cases=cases,
        rows=place,
        threshold=at,
        threshold_source=source,
    )


def _of_level(text: pd.DataFrame, level: Level, name: str) -> pd.DataFrame:
    """Keep the rows of scans, or one row for each patient, named after the patient."""
    bags = text["scan_id"].str.strip() == ALL
    if level == "scan":
        return text[~bags]
    person = text["model"] + "\t" + text["participant_id"]
    text = text[bags | ~person.isin(person[bags])]
    person = person[text.index]
    several = person[person.duplicated(keep=False)].nunique()
    if several:
        raise TableError(
            f"{name} has {several} patient(s) with several scans and no row {ALL!r}",
            f"one row with scan_id {ALL} for every patient with several scans, as 'hemocast "
            "crossval' writes it",
            "Add these rows, or evaluate with --level scan",
        )
    return text.assign(scan_id=text["participant_id"])


def _refused(text: pd.DataFrame) -> pd.Series:
    """Rows in which `hemocast predict` says that a scan got no prediction."""
    import pandas as pd

    if not {"status", "probability"} <= set(text.columns):
        return pd.Series(False, index=text.index)
    said = text["status"].str.strip().isin(["refused", "failed"])
    return said & text["probability"].str.strip().isin(["", MISSING])


def _filled(text: pd.DataFrame, refused: pd.Series, unseen: pd.Series) -> pd.DataFrame:
    """Give rows that will be left out cells that pass.

    Refused ones may stand for no scan at all, and what was not observed has no label.
    """
    own = "refused row " + text.index.astype(str).to_series(index=text.index)
    cells = {"participant_id": own, "scan_id": own, "label": "0", "probability": "0"}
    there = {name: cell for name, cell in cells.items() if name in text.columns}
    text = text.assign(**{name: text[name].mask(refused, cell) for name, cell in there.items()})
    return text.assign(label=text["label"].mask(unseen, "0")) if unseen.any() else text


def _explained(fault: Fault) -> Fault:
    hint = {"participant_id": _PATIENT_HINT, "label": "" if fault.rows else _LABEL_HINT}
    if hint.get(fault.column):
        more = f"{fault.allowed}: {hint[fault.column]}"
        return Fault(fault.table, fault.column, fault.rows, more)
    return fault


def _contradictions(kept: pd.DataFrame, waiting: pd.DataFrame, name: str) -> list[Fault]:
    """Find what can be seen over several rows alone, with and without an observed outcome."""
    import pandas as pd

    faults = []
    whole = pd.concat([kept, waiting])
    both = set(kept["scan_id"]) & set(waiting["scan_id"])
    if both:
        at = tuple(int(row) + 2 for row in whole.index[whole["scan_id"].isin(both)])
        why = "an outcome that was observed, or was not, whatever the model"
        faults.append(Fault(name, "outcome_status", at, why))
    for table, key, column, why in (
        (kept, "participant_id", "label", "one label for all scans of a participant"),
        (whole, "scan_id", "participant_id", "one participant for a scan, whatever the model"),
        (whole, "model", "threshold", "one threshold for all scans of a model"),
    ):
        known = table[table[column].notna() & table[key].notna()]
        several = known.groupby(key, sort=False)[column].nunique() > 1
        if several.any():
            bad = known[key].isin(several.index[several])
            rows = tuple(int(row) + 2 for row in known.index[bad])
            faults.append(Fault(name, column, rows, why))
    return faults
