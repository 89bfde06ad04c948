"""Every word of a case's page is in the catalogue, and in the page itself when it is Chinese."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from gettext import GNUTranslations
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from jinja2 import Environment

import hemocast
from hemocast.classical.scores import all_scores, apply, facts_of
from hemocast.errors import UsageError
from hemocast.model.nearest import NearCase, Nearest
from hemocast.model.prediction import Prediction
from hemocast.report import write_case_page
from hemocast.report.case.page import Setting
from hemocast.report.case.signs import SignRow, SignsView
from hemocast.report.language import ENGLISH, LOCALES, TOLD, language
from hemocast.report.page import TEMPLATES
from hemocast.signs import bleeding
from hemocast.signs.regions import EvidencePlaces, Leading, RegionEvidence
from hemocast.volume import Source

ZH = language("zh")
SOURCE = Path(hemocast.__file__).parent
PAGES = ("case.html", "explanation.html", "parts.html", "refusal.html")
SPEAKING = ("report/case/*.py", "report/explanation.py", "deliver/*.py", "cli/explain.py")
PLACE = re.compile(r"%\((\w+)\)s")
MESSAGES = {
    message: said
    for message, said in ZH.catalogue._catalog.items()  # type: ignore[attr-defined]
    if message
}
OURS = {message for message in MESSAGES if not message.startswith(TOLD + "\4")}
OTHERS = {message.partition("\4")[2] for message in MESSAGES} - {""}


@cache
def said_in_templates() -> frozenset[str]:
    environment = Environment(  # noqa: S701 - it renders nothing
        extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    found = set()
    own = [TEMPLATES / name for name in PAGES]
    for path in (*own, *(SOURCE / "serve/hospital/web/templates").glob("*.html")):
        text = path.read_text(encoding="utf-8")
        for _, _, message in environment.extract_translations(text):  # type: ignore[attr-defined]
            found.add(message[0] if isinstance(message, tuple) else message)
    return frozenset(found)


@cache
def said_in_code() -> frozenset[str]:
    found = set()
    for path in (path for pattern in SPEAKING for path in SOURCE.glob(pattern)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name == "say":
                    found.add(node.args[0].value)
    return frozenset(found)


@cache
def words_of_the_source() -> str:
    """All texts in the code, as they are written, a form's places as {}."""
    texts = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    data = [SOURCE / "assets/demo_model/model.yaml", *SOURCE.glob("classical/scores/tables/*.yaml")]
    return "\n".join([*texts, *(path.read_text(encoding="utf-8") for path in data)])


def test_all_that_the_page_says_is_in_the_catalogue_and_nothing_else() -> None:
    said = said_in_templates() | said_in_code()
    assert len(said) > 90
    assert said - OURS == set(), "without a translation"
    assert OURS - said == set(), "in the catalogue, but said no more"


def test_a_translation_keeps_the_places_of_its_message() -> None:
    for message, said in MESSAGES.items():
        assert said.strip(), message
        assert set(PLACE.findall(said)) == set(PLACE.findall(message)), message


def test_what_other_rooms_tell_is_told_as_they_tell_it() -> None:
    """A doubt that is worded otherwise today would stay English without anybody seeing it."""
    source = words_of_the_source()
    parts = {
        part.strip(" .,")
        for message in OTHERS
        for part in re.split(r"%\(\w+\)s|[,;:] | \(| and | left out", message.replace("%%", "%"))
    }
    assert [part for part in sorted(parts) if len(part) > 2 and part not in source] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("the images were compressed with loss", "图像经有损压缩"),
        ("may hold blood of about 1.2 mL, at slice 14", "可能有约 1.2 mL 出血，位于第 14 层"),
        (
            "brain lies beyond the slices: about 10 mm at the base and 8 mm at the vertex",
            "脑组织超出扫描层面：颅底侧约 10 mm和颅顶侧约 8 mm",
        ),
        (
            "unlike the scans the model learned from (distance 9.1, limit 7.0), mostly in: noise, "
            "patches, brightness",
            "与模型训练所用扫描不同（距离 9.1，界限 7.0），主要差异：噪声、斑片、密度",
        ),
        ("16 (6 to 33) %", "16（6 至 33）%"),
        (
            "The scan already shows about 4.5 mL of blood, or muscle in the gap of its skull",
            "扫描已显示约 4.5 mL 出血，或为颅骨缺损处的肌肉",
        ),
        (
            "By its anatomy the head lies with its vertex to a side and its face below in the "
            "header's axes: the header's orientation is wrong, and left and right are not known",
            "按解剖判断，在文件头的坐标轴中头顶朝侧方、面部朝下：文件头的方位有误，左右侧未知",
        ),
    ],
)  # fmt: skip
def test_a_finished_sentence_is_translated_with_its_numbers(text: str, said: str) -> None:
    assert ZH.told(text) == said
    assert ENGLISH.told(text) == text


def test_what_nobody_translated_stays_english_and_is_marked() -> None:
    strange = "the table is <b>wet</b> to 12 mm"
    assert ZH.told(strange) == strange
    assert (
        ZH.shown(strange) == '<span lang="en">the table is &lt;b&gt;wet&lt;/b&gt; to 12 mm</span>'
    )
    assert ZH.told_sentence(strange).startswith('<span lang="en">The table')
    assert ZH.shown("M1") == "M1"


def test_numbers_are_written_as_the_language_writes_them() -> None:
    assert (ENGLISH.percent(0.37), ZH.percent(0.37)) == ("37 %", "37%")
    assert (ENGLISH.percent(0.004), ZH.percent(0.004)) == ("<1 %", "<1%")
    assert (ENGLISH.sentence("so it is"), ZH.sentence("如此")) == ("So it is.", "如此。")
    assert ZH.sentence("") == ""


def test_a_language_without_a_catalogue_is_refused() -> None:
    with pytest.raises(UsageError, match="'fr'"):
        language("fr")


def test_the_compiled_catalogue_is_that_of_the_text() -> None:
    """`pybabel compile -D hemocast -d src/hemocast/report/locale` after every change."""
    pytest.importorskip("babel", reason="Babel is not installed")
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    folder = LOCALES / "zh" / "LC_MESSAGES"
    with (folder / "hemocast.po").open("rb") as file:
        catalogue = read_po(file, locale="zh")
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    fresh = GNUTranslations(compiled)
    assert {k: v for k, v in fresh._catalog.items() if k} == MESSAGES  # type: ignore[attr-defined]


class Words(HTMLParser):
    """What a page says, and apart from it what it marks as English."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.english: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = dict(attributes)
        if tag not in {"meta", "input", "br", "rect", "use", "circle", "line", "path", "image"}:
            self.open.append("en" if told.get("lang") == "en" else tag)
        self.words += [told.get("aria-label") or ""]

    def handle_endtag(self, tag: str) -> None:
        if self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if "en" in self.open:
            self.english.append(data)
        elif not {"style", "script"} & set(self.open):
            self.words.append(data)


def test_no_english_is_left_in_a_chinese_page(
    prediction: Prediction,
    source: Source,
    tmp_path: Path,
    html_faults: Callable[[str], list[str]],
) -> None:
    rows = (
        SignRow("Acute infarct", "41 (16 to 118) mL",
                "left, MCA; less than a third of the territory of the middle cerebral artery "
                "(12 %)."),
        SignRow("Midline shift", "2.0 (0.0 to 4.5) mm", "Too small to name a side."),
        SignRow("ASPECTS M1", "affected",
                "darker than its mirror image by 3.1 HU, by 2 HU and more over 61 % of it; 40 % "
                "lies in the infarct."),
        SignRow("Blood, by place", "none seen", bleeding.LIMIT),
        SignRow("Blood, under the dura", "may be there",
                f"A thin layer stands out at slice 9. {bleeding.LIMIT}"),
        SignRow("Blood, in brain tissue", "about 1.2 mL",
                f"left, territory MCA, slice 14. {bleeding.LIMIT}"),
        SignRow("Blood, in ventricles", "about 0.5 mL", f"slice 14. {bleeding.LIMIT}"),
        SignRow("Blood, in the subarachnoid space", "about 2.0 mL",
                f"right, slice 14. {bleeding.LIMIT}"),
    )  # fmt: skip
    missing = (
        "dense artery: slices of 5.0 mm average an artery of 3 mm away",
        "blood: no tissue map",
    )
    signs = SignsView(rows, missing, prediction.stack.brain)
    flags = (
        "the scan is simulated: it shows no patient",
        "6 mm of the lowest brain were not seen by the model",
    )
    one = replace(
        prediction,
        flags=flags,
        nearest=Nearest((NearCase("1_2", True, 0.5), NearCase("3_4", False, 0.7)), 0.6, 90, 32),
        prevalence=0.3,
        horizon="any hemorrhagic transformation on later imaging, no fixed horizon",
        population="simulated heads, half of them with HT by design",
    )
    told = replace(
        source,
        corrected=("gantry tilt of 18.5 degrees taken out",),
        doubts=("the images were compressed with loss",),
    )
    path = tmp_path / "r.html"
    regions = tuple(
        RegionEvidence("left" if n % 2 else "right", territory, region, 0.1, 1.0)
        for n, (territory, region) in enumerate(
            [("MCA", name) for name in ("C", "L", "IC", "I", "M1", None)]
            + [(name, None) for name in ("ACA", "PCA", "cerebellar", "pons")]
        )
    )
    places = EvidencePlaces(regions, (Leading("left", regions, 0.07),))
    facts = facts_of({"nihss": 17, "glucose_mg_dl": 210, "treatment": "none"})
    scores = [apply(one, facts) for one in all_scores().values() if one.predicts == "bleeding"]
    write_case_page(
        one, told, path, signs=signs, places=places, scores=scores,
        setting=Setting(0.4, language=ZH),
    )  # fmt: skip
    text = path.read_text(encoding="utf-8")
    assert html_faults(text) == []
    page = Words()
    page.feed(text)
    assert '<html lang="zh-Hans">' in text
    assert "译文未经母语读者审核" in text
    assert "Translation not reviewed by a native reader." in text
    assert page.english == ["Translation not reviewed by a native reader."]
    words = " ".join(page.words)
    assert "出血性转化" in words
    named = "HAT|GRASPS|HTI|MSS|RICH|SEDAN|SITS|SICH|SPAN|TAG|ECASS|III|MOST|NINDS|NIHSS|ECG|"
    named += "mTICI|Hemocast|HiSpeed|Dual|MEDICAL|SYSTEMS|Saerens|prevalence|ctnet3d|demo|"
    named += "Logit|odds"
    left = re.findall(r"[A-Za-z]{3,}", re.sub(named, "", words))
    allowed = {"DICOM", "ASPECTS", "scan"} | {prediction.model_hash, prediction.scan_id}
    assert [word for word in left if word not in allowed and not re.fullmatch("[a-f]+", word)] == []
