import re
import time
from collections.abc import Callable
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from hemocast.classical.measured import Reason
from hemocast.left_out import LeftOut, LeftOutCode
from hemocast.model import LabelSets
from hemocast.model.heatmap import NO_PLACES
from hemocast.model.nearest import NearCase, Nearest
from hemocast.report import write_case_page
from hemocast.report.case.page import Setting
from hemocast.report.case.signs import SignRow, SignsView
from hemocast.volume import Source, Stack

VOID = {"meta", "input", "br", "img", "hr", "link"}


class Reader(HTMLParser):
    """Gathers what a browser would act on, and checks that tags are balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text += data


def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    assert reader.open == []
    return reader


@pytest.fixture
def page(
    prediction, source: Source, tmp_path: Path, html_faults: Callable[[str], list[str]]
) -> Reader:
    write_case_page(prediction, source, tmp_path / "report.html", setting=Setting(base_rate=0.4))
    assert html_faults((tmp_path / "report.html").read_text(encoding="utf-8")) == []
    return read(tmp_path / "report.html")


def test_the_page_says_how_much_blood_the_check_finds(page: Reader) -> None:
    assert "to rule out a bleed: of 1 mL of blood in brain tissue" in page.text
    assert "mostly passes unseen" in page.text


def test_a_page_to_look_at(prediction, source: Source, artefacts: Path) -> None:
    write_case_page(prediction, source, artefacts / "case.html", setting=Setting(base_rate=0.4))
    assert (artefacts / "case.html").stat().st_size > 10_000


def test_the_answer_and_what_it_means(page: Reader) -> None:
    words = re.sub(r"\s+", " ", page.text)
    for said in (
        "37 %",
        "Calibration curve 21 % to 56 %",
        "95 % interval of the mean risk of all patients with this score",
        "own risk lies outside it more often than not",
        "Label set not given: the model holds no numbers for it.",
        "Nothing about this patient.",
        "about 37 had the outcome",
        "any later scan of the same stay",
        "simulated patients with one acute ischemic infarct",
        "40 % of the patients the model learned from",
        "Below the threshold of 48 %",
        "The calibration curve is not known well enough to be sure of that side",
    ):
        assert said in words, said


@pytest.mark.parametrize(
    ("logit", "said"),
    [
        (-2.0, "Label set {0} no HT: the scan's score is too low"),
        (0.0, "Label set {0, 1} not decided: both outcomes stay possible."),
        (2.0, "Label set {1} HT: the scan's score is too high"),
    ],
)
def test_the_label_set_in_words(
    prediction, source: Source, tmp_path: Path, logit: float, said: str
) -> None:
    sets = LabelSets(0.9, zero_to=1.0, one_from=-1.0, n_without=24, n_with=23)
    able = replace(prediction, logit=logit, label_sets=sets, prevalence=0.15)
    write_case_page(able, source, tmp_path / "report.html")
    words = re.sub(r"\s+", " ", read(tmp_path / "report.html").text)
    assert said in words
    assert "90 % of the patients with HT" in words
    assert "learned from 23 and 24 patients" in words
    assert "15 %: where the outcome is rarer or more common, the probability is wrong" in words


def test_a_model_of_real_scans_speaks_of_patients(
    prediction, source: Source, tmp_path: Path
) -> None:
    real = replace(prediction, simulated_training_data=False, notice="research model")
    write_case_page(real, source, tmp_path / "report.html", setting=Setting(base_rate=0.4))
    words = re.sub(r"\s+", " ", read(tmp_path / "report.html").text)
    assert "about 37 would go on to bleed" in words
    assert "Nothing about this patient" not in words


def test_doubts_corrections_model_and_notices(page: Reader) -> None:
    for said in (
        "Reasons for doubt (2)",
        "The slices are 7 mm thick above the base of the skull",
        "Gantry tilt of 18.5 degrees taken out.",
        "One step of 1.08 mm between the two slice thicknesses.",
        "Series 1 (2 image(s)) left out: localizer.",
        "pitch \N{MINUS SIGN}12.5°, roll 1.2°, yaw 3.0°",
        "1312 mL",
        "28 of 5 mm, 2 beyond the scan",
        "6 mm not seen",
        "ctnet3d-demo",
        "c" * 64,
        "demonstration model, trained on simulated scans, not for clinical use.",
        "For research only. Not a medical device.",
    ):
        assert said in page.text, said


def test_the_nearest_training_scans_stand_there_with_outcome_and_distance(
    prediction, source: Source, tmp_path: Path
) -> None:
    cases = (NearCase("sub-00aa_ses-01", True, 0.25), NearCase("sub-00bb_ses-02", False, 0.5))
    one = replace(prediction, nearest=Nearest(cases, 0.41, 613, 32))
    write_case_page(one, source, tmp_path / "r.html")
    words = re.sub(r"\s+", " ", read(tmp_path / "r.html").text)
    assert "HT distance 0.25 sub-00aa_ses-01no HT distance 0.50 sub-00bb_ses-02" in words
    assert "Of 613 scans that the model learned from" in words
    assert "within 0.41" in words


def test_no_training_scan_is_named_where_the_model_holds_none(page: Reader) -> None:
    assert "Training scans most like" not in page.text


def test_no_doubt_is_not_certainty(prediction, source: Source, tmp_path: Path) -> None:
    write_case_page(replace(prediction, flags=()), source, tmp_path / "r.html")
    text = read(tmp_path / "r.html").text
    assert "None was found. That does not make the estimate right" in text
    assert "not given for this page" in text


def test_a_doubt_is_told_once(prediction, source: Source, tmp_path: Path) -> None:
    write_case_page(replace(prediction, flags=source.doubts), source, tmp_path / "r.html")
    text = read(tmp_path / "r.html").text
    assert text.count("One step of 1.08 mm") == 1
    assert "Accepted, but noted" not in text


def test_nothing_is_loaded_from_anywhere(page: Reader) -> None:
    for tag, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "action", "data", "srcset"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/png;base64,", "#")), (tag, name)
        assert "style" not in attributes, tag
        assert not any(name.startswith("on") for name in attributes), tag
        assert tag not in ("iframe", "object", "embed", "form", "base", "link")


def test_one_style_one_script_and_a_policy(page: Reader) -> None:
    names = [tag for tag, _ in page.tags]
    assert (names.count("script"), names.count("style")) == (1, 1)
    policy = [a["content"] for t, a in page.tags if a.get("http-equiv")]
    assert len(policy) == 1
    assert "default-src 'none'" in str(policy[0])


def test_it_can_be_read_by_ear_and_by_keyboard(page: Reader) -> None:
    by_tag = {}
    for tag, attributes in page.tags:
        by_tag.setdefault(tag, []).append(attributes)
    assert by_tag["html"] == [{"lang": "en"}]
    for tag, attributes in page.tags:
        if tag == "canvas" or (tag == "svg" and "role" in attributes):
            assert attributes["aria-label"], tag
    assert by_tag["canvas"][0]["tabindex"] == "0"
    identifiers = [a["id"] for _, a in page.tags if "id" in a]
    assert len(identifiers) == len(set(identifiers))
    labelled = [a["aria-labelledby"] for _, a in page.tags if "aria-labelledby" in a]
    assert labelled
    assert set(labelled) <= set(identifiers)


def test_all_frames_stand_there_and_padded_ones_say_so(page: Reader) -> None:
    assert len([1 for t, a in page.tags if t == "rect" and a.get("class") == "tile"]) == 28
    assert page.text.count("beyond the scan") == 3  # two tiles, and the row of "Frames"
    assert "14 · 65 mm" in page.text


def test_hostile_text_is_only_text(
    prediction, source: Source, hostile: str, tmp_path: Path
) -> None:
    texts = {f.name: hostile for f in fields(prediction) if f.type == "str"}
    bad = replace(
        prediction,
        **texts,
        flags=(hostile,),
        stack=replace(prediction.stack, record=replace(prediction.stack.record, doubts=(hostile,))),
    )
    facts = dict.fromkeys(["manufacturer", "model", "kernel", "kvp"], hostile)
    facts["steps_mm"] = [hostile, 1.0]
    lines = dict.fromkeys(["corrected", "doubts"], (hostile,))
    lines["left_out"] = (LeftOut(LeftOutCode.OTHER, detail=hostile),)
    worse = replace(source, kind=hostile, scan_uid=hostile, facts=facts, **lines)
    write_case_page(bad, worse, tmp_path / "r.html", setting=Setting(outcome=hostile))
    page = read(tmp_path / "r.html")
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "img" not in [tag for tag, _ in page.tags]
    assert not any(name.startswith("on") for _, a in page.tags for name in a)
    assert page.text.count("<script>alert") >= 15
    assert "{{ 7 * 7 }}" in page.text


def test_extremes_are_not_called_certain(prediction, source: Source, tmp_path: Path) -> None:
    low = replace(prediction, probability=0.0004, probability_interval=(0.0, 0.003))
    write_case_page(low, source, tmp_path / "r.html", setting=Setting(base_rate=0.004))
    text = re.sub(r"\s+", " ", read(tmp_path / "r.html").text)
    assert "<1 %" in text
    assert "fewer than 1 had the outcome" in text


def test_a_probability_hardly_below_the_threshold_is_told_apart_from_it(
    prediction, source: Source, tmp_path: Path
) -> None:
    close = replace(prediction, probability=0.6222, threshold=0.6241)
    write_case_page(close, source, tmp_path / "r.html")
    text = read(tmp_path / "r.html").text
    assert "Below the threshold of 62.41 % (at 62.22 %)" in text


def test_a_scan_without_evidence(stack: Stack, prediction, source: Source, tmp_path: Path) -> None:
    none = replace(prediction, heatmap=np.full(stack.frames.shape, -1, dtype=np.float32))
    write_case_page(none, source, tmp_path / "r.html")
    page = read(tmp_path / "r.html")
    assert "Nowhere in this scan does the evidence for HT reach what is coloured" in page.text
    assert not any("bars" in (attrs.get("class") or "") for _, attrs in page.tags)


def test_the_colour_bar_has_one_end_and_one_unit_in_every_scan(
    prediction, source: Source, tmp_path: Path
) -> None:
    for part, highest in ((1, "0.014"), (0.5, "0.007")):
        scan = replace(prediction, heatmap=prediction.heatmap * np.float32(part))
        write_case_page(scan, source, tmp_path / "r.html")
        text = read(tmp_path / "r.html").text
        assert "Evidence for HT, log-odds per cm³, on the same scale in every scan: 0" in text
        assert f"0.02 and more (highest in this scan: {highest})" in text


def test_the_heatmap_adds_up_to_the_risk(stack: Stack, prediction, source: Source, tmp_path: Path):
    """1,000 voxels of 5 mm3 at 0.4 per cm3 are +2; log-odds of 0.37 are -0.53."""
    heat = np.zeros(stack.frames.shape, dtype=np.float32)
    heat[10, 80:100, 70:120] = 0.4
    heat[11, 80:100, 70:120] = -0.1
    assert stack.brain[10:12, 80:100, 70:120].all()
    write_case_page(replace(prediction, heatmap=heat), source, tmp_path / "r.html")
    text = read(tmp_path / "r.html").text.replace("\N{MINUS SIGN}", "-")
    assert "the evidence for HT comes to +2.00 and the evidence against it to -0.50" in text
    assert "With -2.03 from everything else" in text
    assert "log-odds of -0.53: a risk of 37 %" in text


def test_the_heatmap_is_half_transparent_at_first(page: Reader) -> None:
    (slider,) = (attrs for _, attrs in page.tags if attrs.get("name") == "opacity")
    assert slider["value"] == "50"
    overlays = [a for _, a in page.tags if (a.get("href") or "").startswith("#heat-")]
    assert overlays
    assert {attrs["opacity"] for attrs in overlays} == {"0.5"}


def test_a_fact_of_many_numbers_is_told_as_a_range(
    prediction, source: Source, tmp_path: Path
) -> None:
    many = replace(source, facts={"steps_mm": [4.0] * 13 + [1.08] + [7.0] * 13})
    write_case_page(prediction, many, tmp_path / "r.html")
    assert "1.08 to 7" in read(tmp_path / "r.html").text


def test_quick_small_and_the_same_each_time(
    prediction, source: Source, tmp_path: Path, new_stack: Callable[..., Stack]
) -> None:
    write_case_page(prediction, source, tmp_path / "1.html")
    start = time.process_time()
    write_case_page(prediction, source, tmp_path / "2.html")
    assert time.process_time() - start < 0.5  # 0.05 s of processor time
    first = (tmp_path / "1.html").read_bytes()
    assert first == (tmp_path / "2.html").read_bytes()
    assert len(first) < 1_500_000


def test_no_side_is_named_where_left_and_right_are_not_known(
    prediction, stack: Stack, source: Source, tmp_path: Path
) -> None:
    record = replace(stack.record, sides_known=False)
    unknown = replace(prediction, stack=replace(stack, record=record))
    write_case_page(unknown, source, tmp_path / "report.html")
    read_page = read(tmp_path / "report.html")
    assert "left and right are not known" in read_page.text
    assert not [a for _, a in read_page.tags if a.get("class") in ("side", "over r", "over l")]
    labels = " ".join(a.get("aria-label") or "" for _, a in read_page.tags)
    for words in (read_page.text, labels):
        assert "patient's right" not in words
        assert not re.search(r"\b[RL]\b", words)


def test_an_outline_has_its_key_whether_or_not_there_is_a_heatmap(
    stack: Stack, prediction, source: Source, tmp_path: Path
) -> None:
    signs = SignsView((SignRow("Acute infarct", "41 (16 to 118) mL"),), (), stack.brain)
    none = np.zeros(stack.frames.shape, dtype=np.float32)
    silent = replace(prediction, heatmap=none, heatmap_kind=NO_PLACES)
    for one in (prediction, silent):
        write_case_page(one, source, tmp_path / "r.html", signs=signs)
        assert read(tmp_path / "r.html").text.count("the acute infarct, as measured") == 1
        bare = replace(signs, mask=np.zeros_like(signs.mask))
        write_case_page(one, source, tmp_path / "r.html", signs=bare)
        assert "the acute infarct, as measured" not in read(tmp_path / "r.html").text


def test_a_model_that_measures_says_what_moved_it_and_shows_no_heatmap(
    stack: Stack, prediction, source: Source, tmp_path: Path
) -> None:
    measured = replace(
        prediction,
        heatmap=np.zeros(stack.frames.shape, dtype=np.float32),
        heatmap_kind=NO_PLACES,
        reasons=(
            Reason("NIHSS", "17", 0.7, ((0.0, -1.0), (20.0, 1.0))),
            Reason("male", "no", -0.2),
            Reason("<b>", "0", 0.0),
        ),
        told="the clinical record",
    )
    write_case_page(measured, source, tmp_path / "r.html")
    text = read(tmp_path / "r.html").text
    assert "Risk of hemorrhagic transformation from the clinical record" in text
    assert "+0.70" in text
    assert "\N{MINUS SIGN}0.20" in text
    assert "<b>" in text  # as text
    assert "answer belongs to no place in the scan: there is no heatmap" in text
    assert "no evidence for HT" not in text
    page = (tmp_path / "r.html").read_text()
    assert 'aria-label="curve from 0 to 20, from \N{MINUS SIGN}1.00 to +1.00 log-odds"' in page
    silent = replace(measured, reasons=())
    write_case_page(silent, source, tmp_path / "s.html")
    assert "This kind of model does not tell" in read(tmp_path / "s.html").text
