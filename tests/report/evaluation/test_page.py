"""The page of an evaluation, and of a reader study."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace

from hemocast.evaluate.result import EvaluationResult, Incidence, LeftOut, Scenario
from hemocast.report.evaluation.figures import draw_evaluation
from hemocast.report.evaluation.page import evaluation_page
from hemocast.stats import Estimate
from hemocast.stats.incidence import cumulative_incidence


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_it_shows_every_metric_comparison_and_subgroup(
    evaluation: EvaluationResult, html_faults: Callable[[str], list[str]]
) -> None:
    page = evaluation_page(evaluation, draw_evaluation(evaluation), ())
    said = words(page)
    model = evaluation.models[0]
    for part in (
        "SIMULATED: according to the tables",
        "our <b> model: every metric",
        f"{model.n_patients}, {model.n_patients_positive} with HT",
        "Matthews correlation",
        "Calibration slope",
        "Models compared",
        "Tests of interaction",
        "paired DeLong",
        "Other thresholds",
    ):
        assert part in said, part
    auc = model["auc"]
    assert f"AUC {auc.value:.3f} {auc.ci_low:.3f} to {auc.ci_high:.3f} {auc.ci_method}" in said
    assert "<b>" not in page
    assert html_faults(page) == []
    assert page.count("<figure") == 8
    assert "nan" not in said


def test_warnings_and_notes_stand_on_it(evaluation: EvaluationResult) -> None:
    model = replace(evaluation.models[0], warnings=("only 3 scans",))
    page = evaluation_page(replace(evaluation, models=(model,), notes=("2 rows went",)), (), ())
    assert "Only 3 scans." in page
    assert "2 rows went." in page


def test_thresholds_fixed_beforehand_are_not_called_chosen_here(
    evaluation: EvaluationResult,
) -> None:
    model = evaluation.models[0]
    asked = replace(model.points[0], name="asked for", exploratory=False)
    shown = replace(model, points=(model.points[0], asked, *model.points[1:]))
    page = evaluation_page(replace(evaluation, models=(shown,)), (), ())
    assert "All rules but the first" not in page
    assert "Rules marked exploratory choose their threshold on these same scans" in page
    assert re.search(r'asked for</th><td class="num">', page)


def test_sites_are_pooled_on_it(evaluation: EvaluationResult) -> None:
    model = evaluation.models[0]
    assert "Sites pooled" not in evaluation_page(evaluation, (), ())
    sites = replace(model.subgroups[0], variable="site")
    (_, found), *_ = sites.pooled()
    part = replace(model, subgroups=(sites,))
    said = words(evaluation_page(replace(evaluation, models=(part,)), (), ()))
    assert f"AUC 2 {found.mean.value:.2f} {found.mean.ci_low:.2f} to" in said
    assert "Rests on 2 sites." in said


def test_a_page_without_models_is_that_of_the_readers(
    reader_study: EvaluationResult, html_faults: Callable[[str], list[str]]
) -> None:
    page = evaluation_page(reader_study, (), ())
    assert html_faults(page) == []
    said = words(page)
    for part in ("Readers and model on the same scans", "One-point AUC", "C2 & co", "Fleiss"):
        assert part in said, part
    assert "SIMULATED" not in said
    assert "Figures flatter" not in said
    group = reader_study.readers.agreement.groups[0] if reader_study.readers else None
    assert group is not None
    assert f"{group.ac1.value:.2f} {group.ac1.ci_low:.2f} to {group.ac1.ci_high:.2f}" in said
    assert f"{group.icc.value:.2f} {group.icc.ci_low:.2f} to {group.icc.ci_high:.2f}" in said


def test_doubts_about_agreement_and_designs_stand_on_it(reader_study: EvaluationResult) -> None:
    found = reader_study.readers
    assert found is not None
    group = replace(found.agreement.groups[0], icc=Estimate.bare(0.5, 3, "rests on 3 scans"))
    test = replace(found.tests[-1], design="readers of its own in each", left_out="left out: C9")
    agreement = replace(found.agreement, groups=(group,))
    shown = replace(found, agreement=agreement, tests=(test,))
    said = words(evaluation_page(replace(reader_study, readers=shown), (), ()))
    assert "Rests on 3 scans." in said
    assert re.search(r"Readers of its own in each; .*left out: C9\.", said)


def test_it_runs_no_script_and_loads_nothing(evaluation: EvaluationResult) -> None:
    page = evaluation_page(evaluation, draw_evaluation(evaluation), ())
    assert "script-src 'none'" in html.unescape(page)
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', page)


def test_scans_left_out_stand_on_it_beside_the_main_results(evaluation: EvaluationResult) -> None:
    assert "Scans left out" not in evaluation_page(evaluation, (), ())
    model = evaluation.models[0]
    worst = Scenario("worst case", 77, None, (("auc", Estimate(0.61, 0.52, 0.73, "DeLong", 77)),))
    gone = (LeftOut("outcome not observed", "death", 3, 2, None, 0.25),)
    part = replace(model, left_out=gone, scenarios=(worst,))
    curve = cumulative_incidence([10, 20, 30], [1, 2, 0])
    found = Incidence(curve, ((20.0, curve.at(20)),), 4)
    said = words(evaluation_page(replace(evaluation, models=(part,), incidence=found), (), ()))
    assert "outcome death before a later scan 3 2 not known 0.250" in said
    assert f"as above {model.n} {model['auc'].value:.2f}" in said
    assert "worst case 77 0.61 0.52 to 0.73" in said
    assert "of 3 patients, 1 with HT, 1 who died without it; 4 whose time is not known" in said
    assert "Rests on 1 patient with the event." in said
    assert "more rows" not in said
    part = replace(model, left_out=gone * 63, scenarios=(worst,) * 121)
    said = words(evaluation_page(replace(evaluation, models=(part,)), (), ()))
    assert "3 more rows are not shown; left_out.csv has all" in said
    assert "2 more rows are not shown; scenarios.csv has all" in said


def test_net_benefit_stands_on_it_alone_standardized_and_compared(
    evaluation: EvaluationResult,
) -> None:
    said = words(evaluation_page(evaluation, (), ()))
    curve = evaluation.models[0].decision
    assert curve is not None
    net, scaled, _ = curve.estimates(9)
    assert f"{curve.threshold[9]:.3g} {signed(net.value, 3)} {signed(net.ci_low, 3)} to" in said
    assert f"{signed(scaled.value, 2)} {signed(scaled.ci_low, 2)} to" in said
    pair = [row for row in evaluation.net_benefits if row.threshold == curve.threshold[9]]
    one = pair[0].difference
    assert f"{pair[0].second} {curve.threshold[9]:.3g} {signed(one.value, 3)}" in said


def signed(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")
