"""Dataset in; settings that learn better, found on inner validation alone, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from hemocast.config import Config
from hemocast.dataset import Dataset, split_patients
from hemocast.dataset.split.saved import read_split
from hemocast.errors import ConfigError, MissingExtra
from hemocast.files import Output, check_space, claim, remove_temporary
from hemocast.nets import try_network
from hemocast.pipeline.clock import stage_of
from hemocast.pipeline.training_data import Cohort, bytes_of, prepare_cohort
from hemocast.pipeline.training_run import bind

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

    from hemocast.train import StackTable

KIND = "tuning"
SETTINGS, TRIALS, BINDING, STUDY = "settings.yaml", "trials.csv", "tune.json", "tune.sqlite"
TUNED = ("learning_rate", "weight_decay", "dropout", "batch_size")
COLUMNS = ("trial", "validation_loss", "best", *TUNED)
RANDOM_TRIALS = 4
"""So many are drawn at random, before the search learns from them."""

Numbers = Mapping[str, float | int]
"""Setting of `TUNED` -> its value."""


@dataclass(frozen=True)
class TuneOptions:
    """How far to search, and on whom.

    Parameters
    ----------
    trials : int
        At most, those of an earlier call with the same data and settings counted.
    length : float
        Share of ``config.train.epochs`` that a trial is trained for.
    test_fraction : float
        Of the patients, who are drawn and left out as `train` draws them.
    split : Path, optional
        A split's table instead, of which the test part is left out.
    workers : int
        Processes for preparing.
    progress : callable, optional
        Called with (stage, done, total).
    """

    trials: int = 8
    length: float = 0.25
    test_fraction: float = 0.1
    split: Path | None = None
    workers: int = 1
    progress: Callable[[str, int, int], None] | None = None


@dataclass(frozen=True)
class Tuned:
    """What the search found.

    Parameters
    ----------
    settings : Path
        The file for ``hemocast train --config``.
    best : mapping
        Setting -> value of the best trial.
    loss, loss_before : float
        Lowest validation loss of the best trial, and of the first, with the settings given.
    trials : int
        How many there were.
    """

    settings: Path
    best: Numbers
    loss: float
    loss_before: float
    trials: int

    def __repr__(self) -> str:
        """One line: the gain."""
        return f"Tuned({self.trials} trials, loss {self.loss_before:.3f} to {self.loss:.3f})"


def tune(dataset: Dataset, config: Config, out: Path, options: TuneOptions) -> Tuned:
    """Search learning rate, weight decay, dropout and batch size.

    Test patients are left out. Every trial trains on the same inner part of the others and is
    judged by its lowest loss on the inner validation part; the first trial has the settings given.
    The tree-structured Parzen estimator (Bergstra 2011) proposes the others. Its state lies in an
    SQLite file: a search that was stopped goes on, within a trial too, to the same result.

    Parameters
    ----------
    dataset : Dataset
        With labels; or a folder of stacks.
    config : Config
        Settings to begin with.
    out : Path
        Folder for the settings found; new, or of the same search.
    options : TuneOptions

    Raises
    ------
    MissingExtra, ConfigError
        What is needed is not installed, or the settings leave nothing to tune.
    NothingThere, DatasetError, TableError, TooFewPatients
        No dataset of Hemocast's, bad labels, or a part without patients of a class.
    OutputExists
        The folder holds something else, or the search of other data or settings.
    NotWritable, NoSpace, InUse
        The output cannot be written to, or somebody else does.
    """
    from hemocast.train import inner_parts

    _refuse_without_optuna()
    if config.train.encoder is not None:
        raise ConfigError(
            "The settings name an encoder, whose last layer alone is fitted",
            "settings of a network that is trained as a whole",
            "Leave train.encoder out",
        )
    cohort = Cohort.of(dataset)
    parts = _parts(cohort, config, options)
    validation = parts.get("validation", ())
    learned = (*parts["train"], *validation)
    labels = {p: cohort.labels[p] for p in learned if p in cohort.labels}
    inner_parts(labels, config.train, validation)
    try_network(config.net, config.prepare)
    with claim(out, KIND) as output:
        remove_temporary(out)
        _bind(output, cohort, config, options)
        check_space(out, bytes_of(cohort, config))
        prepared = prepare_cohort(
            cohort,
            config.prepare,
            out,
            learned=(),
            workers=options.workers,
            progress=stage_of(options.progress, "preparing"),
        )
        search = _Search(config, out, prepared.table.of(labels), validation, options)
        return search.run(output)


@dataclass(frozen=True)
class _Search:
    """What the trials share."""

    config: Config
    out: Path
    data: StackTable
    validation: tuple[str, ...]
    options: TuneOptions

    def run(self, output: Output) -> Tuned:
        """Make the trials that are left, and write down what was found."""
        import optuna
        from sqlalchemy import URL

        from hemocast.train.data import seed_of

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        url = URL.create("sqlite", database=str(self.out / STUDY)).render_as_string()
        study = optuna.create_study(storage=url, study_name=KIND, load_if_exists=True)
        self._take_up(study)
        while (count := len(_finished(study))) < self.options.trials:
            # From seed and count alone, so that a search that was stopped proposes the same.
            study.sampler = optuna.samplers.TPESampler(
                n_startup_trials=RANDOM_TRIALS, seed=seed_of(self.config.train.seed, 7, count)
            )
            trial = study.ask()
            study.tell(trial, self._loss(_proposed(trial, self.config), count))
            self._write_trials(output, study)
        best = min(_finished(study), key=_value)
        found = _with(self.config, best.params)
        output.write_text(SETTINGS, yaml.safe_dump(found.model_dump(mode="json"), sort_keys=False))
        finished = _finished(study)
        return Tuned(
            self.out / SETTINGS, best.params, _value(best), _value(finished[0]), len(finished)
        )

    def _take_up(self, study: Study) -> None:
        """Begin with the settings given; repeat a trial that was stopped, which goes on."""
        from optuna.trial import TrialState

        if not study.trials:
            study.enqueue_trial(_given(self.config))
        for trial in study.get_trials(states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)
            study.enqueue_trial(trial.params)

    def _loss(self, config: Config, count: int) -> float:
        from hemocast.train import fit

        epochs = max(1, round(config.train.epochs * self.options.length))
        short = config.train.model_copy(update={"epochs": epochs, "refit": False})
        config = config.model_copy(update={"train": short})
        moved = stage_of(self.options.progress, f"trial {count + 1} of {self.options.trials}")
        fitted = fit(
            self.data,
            config,
            self.out / "trials" / config.hash()[:16],
            validation=self.validation,
            progress=None if moved is None else lambda done, total, _: moved(done, total),
        )
        losses = [epoch.validation_loss for epoch in fitted.history]
        return min(loss for loss in losses if loss is not None)

    def _write_trials(self, output: Output, study: Study) -> None:
        finished = _finished(study)
        best = min(finished, key=_value)
        rows = [
            {"trial": i, "validation_loss": round(_value(trial), 6), "best": int(trial is best)}
            | _given(self.config)
            | trial.params
            for i, trial in enumerate(finished, start=1)
        ]
        output.write_table(TRIALS, rows, COLUMNS)


def _given(config: Config) -> dict[str, float | int]:
    train = config.train
    values = (train.learning_rate, train.weight_decay, config.net.dropout, train.batch_size)
    return dict(zip(TUNED, values, strict=True))


def _with(config: Config, numbers: Numbers) -> Config:
    """Return the settings with some numbers changed, checked again."""
    plain = config.model_dump(mode="json")
    for name, value in numbers.items():
        plain["net" if name == "dropout" else "train"][name] = value
    return Config.model_validate(plain)


def _proposed(trial: Trial, config: Config) -> Config:
    """Let the search propose settings around those given; what is 0 stays so, but for dropout."""
    given = _given(config)
    rate, decay, size = given["learning_rate"], given["weight_decay"], int(given["batch_size"])
    trial.suggest_float("learning_rate", rate / 4, min(1, rate * 4), log=True)
    if decay:
        trial.suggest_float("weight_decay", decay / 10, min(1, decay * 10), log=True)
    trial.suggest_float("dropout", 0, max(0.5, given["dropout"]))
    sizes = sorted({max(1, size // 2), size, min(512, size * 2)})
    trial.suggest_categorical("batch_size", sizes)
    return _with(config, trial.params)


def _finished(study: Study) -> list[FrozenTrial]:
    from optuna.trial import TrialState

    return study.get_trials(states=(TrialState.COMPLETE,))


def _value(trial: FrozenTrial) -> float:
    """Return the loss of a finished trial."""
    return float(trial.values[0])


def _parts(cohort: Cohort, config: Config, options: TuneOptions) -> Mapping[str, tuple[str, ...]]:
    """Return the patients of each part, as `train` divides them."""
    if options.split is not None:
        return read_split(options.split).parts
    seed = config.train.seed
    return split_patients(cohort.labels, options.test_fraction, seed, name=KIND).parts


def _bind(output: Output, cohort: Cohort, config: Config, options: TuneOptions) -> None:
    """Write down whose folder it is, or refuse another's."""
    binding: dict[str, Any] = {
        "schema_version": 1,
        "config": config.model_dump(mode="json"),
        "data_sha256": cohort.sha256(),
        "length": options.length,
        "parts": {k: sorted(v) for k, v in _parts(cohort, config, options).items()},
    }
    bind(output, BINDING, binding, "a search on other data, patients, settings or length")
    output.check([SETTINGS, TRIALS])


def _refuse_without_optuna() -> None:
    try:
        import optuna  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "Tuning needs optuna, which is not installed",
            "the extra `tune`",
            'Install it with: pip install "hemocast[tune]"',
        ) from error
