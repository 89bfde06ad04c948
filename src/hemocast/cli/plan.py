"""``hemocast plan``: how large a study must be, before it begins."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

import typer

from hemocast.cli.options import C_STATISTIC, Alpha, AsJson, Power, Prevalence

plan = typer.Typer(
    help="Say how many patients, cases or readers a study needs.", no_args_is_help=True
)


@dataclass(frozen=True)
class Answer:
    """What a plan needs, why, and whose word that is.

    Parameters
    ----------
    question, answer : str
        In words.
    required : float
        The number asked for: patients, cases, or a power.
    criteria : mapping of str to float
        What each criterion alone needs.
    given : mapping of str to float or str
        What was assumed as a number.
    assumes : sequence of str
        What else must hold.
    sources : sequence of str
        Papers with their DOI.
    """

    question: str
    answer: str
    required: float
    criteria: Mapping[str, float]
    given: Mapping[str, float | str]
    assumes: Sequence[str]
    sources: Sequence[str]

    def show(self, as_json: bool) -> None:
        """Print it, for people or for programs."""
        if as_json:
            print(json.dumps(asdict(self), indent=2))
            return
        print(f"{self.question}: {self.answer}")
        for criterion, needed in self.criteria.items():
            print(f"{needed:8}  {criterion}")
        print("Given: " + ", ".join(f"{name} {value}" for name, value in self.given.items()))
        for assumption in self.assumes:
            print(f"Assumes: {assumption}")
        for source in self.sources:
            print(f"Source: {source}")


@plan.command()
def develop(
    predictors: Annotated[
        int, typer.Option(help="Candidate parameters: every coefficient that is considered.")
    ],
    prevalence: Prevalence,
    c_statistic: Annotated[float | None, C_STATISTIC] = None,
    r2: Annotated[
        float | None, typer.Option(help="Cox-Snell R2 to be expected, in place of --c-statistic.")
    ] = None,
    shrinkage: Annotated[float, typer.Option(help="Smallest shrinkage factor accepted.")] = 0.9,
    mean_error: Annotated[
        float | None, typer.Option(help="Mean absolute error of the risks that is accepted.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Patients to develop a regression model of a binary outcome (Riley's criteria)."""
    from hemocast.stats import cox_snell_from_c, development_size

    if c_statistic is not None and r2 is None:
        cox_snell = cox_snell_from_c(c_statistic, prevalence)
    elif r2 is not None and c_statistic is None:
        cox_snell = r2
    else:
        raise typer.BadParameter("give either --c-statistic or --r2")
    size = development_size(predictors, prevalence, cox_snell, shrinkage, mean_error)
    criteria: dict[str, float] = {
        f"coefficients shrink by at most {1 - shrinkage:.0%}": size.shrinkage,
        "Nagelkerke R2 looks better by at most 0.05": size.optimism,
        "overall risk known within 5 points": size.overall_risk,
    }
    if size.individual_risks is not None:
        criteria[f"risks are off by {mean_error} on average"] = size.individual_risks
    Answer(
        "Patients to develop a model",
        f"{size.required} ({size.events:.0f} with the outcome, "
        f"{size.events_per_parameter:.1f} per predictor)",
        size.required,
        criteria,
        {"predictors": predictors, "prevalence": prevalence, "Cox-Snell R2": round(cox_snell, 4)},
        (
            "a regression with as many parameters; a network needs more, and no formula says how "
            "many",
            "independent patients, not scans; held-out patients come on top",
        ),
        (
            "Riley 2019, Stat Med 38:1276, 10.1002/sim.7992",
            "Riley 2020, BMJ 368:m441, 10.1136/bmj.m441",
            *(["Riley 2021, Stat Med 40:859, 10.1002/sim.8806 (R2 from C)"] if r2 is None else []),
        ),
    ).show(as_json)


@plan.command()
def validate(
    prevalence: Prevalence,
    c_statistic: Annotated[float, C_STATISTIC],
    width_oe: Annotated[float, typer.Option(help="Interval's width, observed/expected.")] = 0.2,
    width_slope: Annotated[float, typer.Option(help="Interval's width, slope.")] = 0.2,
    width_c: Annotated[float, typer.Option(help="Interval's width, C statistic.")] = 0.1,
    threshold: Annotated[
        float | None, typer.Option(help="Adds net benefit at this risk; with the next two.")
    ] = None,
    sensitivity: Annotated[float, typer.Option(help="Expected at --threshold.")] = 0.8,
    specificity: Annotated[float, typer.Option(help="Expected at --threshold.")] = 0.8,
    as_json: AsJson = False,
) -> None:
    """Patients to validate a model of a binary outcome elsewhere (Riley's criteria)."""
    from hemocast.stats import OperatingPoint, Widths, logits_from_c, validation_size

    mean, sd = logits_from_c(c_statistic, prevalence)
    point = None if threshold is None else OperatingPoint(threshold, sensitivity, specificity)
    size = validation_size(
        prevalence,
        c_statistic,
        mean,
        sd,
        widths=Widths(width_oe, width_slope, width_c),
        point=point,
    )
    criteria: dict[str, float] = {
        f"observed/expected: interval {width_oe} wide": size.observed_expected,
        f"calibration slope: interval {width_slope} wide": size.calibration_slope,
        f"C statistic: interval {width_c} wide": size.c_statistic,
    }
    if size.net_benefit is not None:
        criteria["standardized net benefit: interval 0.2 wide"] = size.net_benefit
    Answer(
        "Patients to validate a model",
        f"{size.required} ({size.events:.0f} with the outcome)",
        size.required,
        criteria,
        {"prevalence": prevalence, "C statistic": c_statistic},
        (
            f"a well calibrated model whose logits are normal: mean {mean:.2f}, SD {sd:.2f}",
            "independent patients of the place where the model is to be used",
        ),
        (
            "Riley 2021, Stat Med 40:4230, 10.1002/sim.9025",
            "Newcombe 2006, Stat Med 25:559, 10.1002/sim.2324 (C statistic)",
            *(["Marsh 2020, Biometrics 76:843, 10.1111/biom.13190 (net benefit)"] if point else []),
        ),
    ).show(as_json)


@plan.command()
def auc(
    auc: Annotated[float, typer.Option(help="The AUC to be expected.")],
    prevalence: Prevalence,
    half_width: Annotated[float, typer.Option(help="Half the width of its interval.")] = 0.05,
    as_json: AsJson = False,
) -> None:
    """Cases whose AUC gets a 95 % interval no wider than planned."""
    from hemocast.stats import auc_cases

    cases = auc_cases(auc, prevalence, half_width)
    Answer(
        "Cases to estimate an AUC",
        f"{cases} ({round(cases * prevalence)} with the outcome)",
        cases,
        {},
        {"AUC": auc, "prevalence": prevalence, "half-width": half_width},
        ("one scan a patient; a Wald interval, which is too narrow near an AUC of 1",),
        ("Hanley 1982, Radiology 143:29, 10.1148/radiology.143.1.7063747",),
    ).show(as_json)


@plan.command()
def compare(
    auc: Annotated[float, typer.Option(help="The true AUC of one model.")],
    other_auc: Annotated[float, typer.Option(help="That of the other.")],
    prevalence: Prevalence,
    correlation: Annotated[
        float, typer.Option(help="Of the two AUCs; two models of the same scans: 0.5 to 0.8.")
    ] = 0.0,
    cases: Annotated[
        int | None, typer.Option(help="Give the power for this number of cases instead.")
    ] = None,
    power: Power = 0.8,
    alpha: Alpha = 0.05,
    as_json: AsJson = False,
) -> None:
    """Cases (or power) to tell two models' AUCs on the same scans apart."""
    from hemocast.stats import auc_difference_cases, auc_difference_power

    given: dict[str, float | str] = {
        "AUCs": f"{auc} and {other_auc}",
        "correlation": correlation,
        "prevalence": prevalence,
    }
    if cases is None:
        needed = auc_difference_cases(auc, other_auc, correlation, prevalence, power, alpha)
        question, required = "Cases to tell two AUCs apart", float(needed)
        answer = f"{needed} ({round(needed * prevalence)} with the outcome)"
        given |= {"power": power}
    else:
        ill = round(cases * prevalence)
        required = auc_difference_power(auc, other_auc, correlation, ill, cases - ill, alpha)
        question, answer = "Power to tell two AUCs apart", f"{required:.3f}"
        given |= {"cases": f"{cases} ({ill} with the outcome)"}
    Answer(
        question,
        answer,
        required,
        {},
        given | {"two-sided level": alpha},
        ("one scan a patient, both models on every scan; a correlation of 0 is the cautious one",),
        ("Hanley 1983, Radiology 148:839, 10.1148/radiology.148.3.6878708",),
    ).show(as_json)


@plan.command()
def readers(
    readers: Annotated[int, typer.Option(help="Readers of the study.")],
    effect: Annotated[
        float, typer.Option(help="Smallest difference of mean accuracies worth detecting.")
    ],
    pilot_cases: Annotated[int, typer.Option(help="Cases of the study the variances are from.")],
    treatment_reader: Annotated[
        float, typer.Option(help="Variance of readers within treatments, of that study.")
    ],
    error: Annotated[float, typer.Option(help="Its error variance.")],
    cov1: Annotated[float, typer.Option(help="Covariance: same reader, other treatment.")],
    cov2: Annotated[float, typer.Option(help="Covariance: other reader, same treatment.")],
    cov3: Annotated[float, typer.Option(help="Covariance: both differ.")],
    cases: Annotated[
        int | None, typer.Option(help="Give the power for this number of cases instead.")
    ] = None,
    beyond: Annotated[
        Literal["readers and cases", "cases", "readers"],
        typer.Option(help="What the conclusion is to generalise to."),
    ] = "readers and cases",
    power: Power = 0.8,
    alpha: Alpha = 0.05,
    as_json: AsJson = False,
) -> None:
    """Cases (or power) of a reader study in which every reader reads every case in both arms."""
    from hemocast.stats import VarianceComponents, mrmc_cases, mrmc_power

    parts = VarianceComponents(0.0, treatment_reader, error, cov1, cov2, cov3, pilot_cases)
    given: dict[str, float | str] = {
        "readers": readers,
        "difference": effect,
        "two-sided level": alpha,
        "for": f"{beyond} like these",
    }
    if cases is None:
        needed = mrmc_cases(parts, effect, readers, power, alpha, beyond)
        reached = mrmc_power(parts, effect, readers, needed, alpha, beyond)
        question, answer, required = "Cases of a reader study", f"{needed}", float(needed)
        given |= {"power": f"{power} (reached: {reached:.3f})"}
    else:
        required = mrmc_power(parts, effect, readers, cases, alpha, beyond)
        question, answer = "Power of a reader study", f"{required:.3f}"
        given |= {"cases": cases}
    Answer(
        question,
        answer,
        required,
        {},
        given,
        (
            f"variances as in a study of {pilot_cases} cases with the same mix of classes, scaled; "
            "they are estimates, so plan for worse ones too",
            "every reader reads every case in both arms; one case a patient",
        ),
        ("Hillis 2011, Acad Radiol 18:129, 10.1016/j.acra.2010.09.007",),
    ).show(as_json)
