"""Every page in a real browser: nothing runs out of it, on a phone, on a desk and on paper."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hemocast.classical.scores import all_scores, apply, facts_of
from hemocast.dataset import Dataset
from hemocast.dataset.scan_id import ScanId
from hemocast.dicom import write_nifti
from hemocast.evaluate.result import EvaluationResult
from hemocast.model.nearest import NearCase, Nearest
from hemocast.model.prediction import Prediction
from hemocast.pipeline.quality import write_quality_report
from hemocast.report import write_case_page
from hemocast.report.case.page import Setting
from hemocast.report.case.signs import SignRow, SignsView
from hemocast.report.demo import DemoResult, demo_page
from hemocast.report.evaluation.figures import draw_evaluation
from hemocast.report.evaluation.page import evaluation_page
from hemocast.report.figures.diagrams import Step, method_figure
from hemocast.report.figures.drawing import Drawing
from hemocast.report.language import language
from hemocast.report.paper.page import PaperResult, PaperTable, paper_files
from hemocast.report.readers.figures import draw_readers
from hemocast.signs.regions import EvidencePlaces, Leading, RegionEvidence
from hemocast.signs.sides import Place
from hemocast.volume import Source

PAGES = ("case", "case-zh", "demo", "quality", "evaluation", "readers", "paper")
WIDTHS = (320, 390, 1440)
A4_PX = {"portrait": 703, "landscape": 1046}
"""What a sheet of A4 shows between the margins of `style.css`, at 96 dots an inch."""

OVERFLOW = """() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (node) => {
        for (let at = node.parentElement; at; at = at.parentElement) {
            if (getComputedStyle(at).overflowX !== "visible") return true;
        }
        return false;
    };
    const seen = [...document.querySelectorAll("main *, header *, footer, .notice")]
        .filter((n) => n.getClientRects().length && !n.closest("svg svg, .visually-hidden"));
    const out = seen.filter((n) => {
        const { left, right } = n.getBoundingClientRect();
        return (right > width + 1 || left < -1) && !scrolls(n);
    });
    return out.map((n) => `${n.tagName} ${n.textContent.trim().slice(0, 40)}`);
}"""
"""What reaches over the edge of the page, other than within something that scrolls by itself."""

NARROW = """() => [...document.querySelectorAll("p, dd, li, td, th, label")]
    .filter((n) => n.getClientRects().length && !n.closest("svg, td.num"))
    .filter((n) => n.textContent.trim().length > 12)
    .filter((n) => n.getBoundingClientRect().width < 60)
    .map((n) => n.textContent.trim().slice(0, 40))"""
"""Text in so narrow a column that it stands one word, or letter, a line."""


CUT = """() => [...document.querySelectorAll(".figure svg text")].filter((n) => {
    const own = n.getBoundingClientRect();
    const whole = n.closest(".figure").querySelector("svg").getBoundingClientRect();
    return own.left < whole.left - 2 || own.right > whole.right + 2
        || own.top < whole.top - 2 || own.bottom > whole.bottom + 2;
}).map((n) => n.textContent)"""
"""Words of a figure that its edge cuts."""


def quality_page(folder: Path) -> str:
    """Two scans, one with much said of it; refusals and series left out."""
    description = {"DatasetType": "raw", "GeneratedBy": [{"Name": "hemocast"}], "Simulated": True}
    facts = {
        "manufacturer": "GE MEDICAL SYSTEMS", "model": "Discovery CT750 HD", "kernel": "STANDARD",
        "kvp": 120.0, "slice_thickness_mm": [4.0, 7.0], "tilt_degrees": -18.5,
        "steps_mm": [1.08, 4.0, 7.0],
    }  # fmt: skip
    folder.mkdir()
    (folder / "dataset_description.json").write_text(json.dumps(description))
    for participant in ("sub-3a7ce02c108e", "sub-02b5cc71bcc6"):
        path = Dataset(folder).scan_path(ScanId(participant, "ses-01"))
        path.parent.mkdir(parents=True)
        hu = np.full((30, 64, 60), -1000, np.float32)
        hu[2:28, 8:56, 8:52] = 1000
        hu[3:27, 12:52, 12:48] = 35
        write_nifti(hu, np.diag([-1.8, -1.8, 5.0, 1.0]), path)
        sidecar = {
            "participant_id": participant, "session": "ses-01", "scan_uid": "0123456789abcdef",
            "shape": [30, 64, 60], "spacing_mm": [5.0, 1.8, 1.8], "simulated": True, "facts": facts,
            "corrected": ["uneven steps of 1.08 to 7.00 mm resampled from the true positions"],
            "doubts": ["one step of 1.08 mm between the two slice thicknesses"], "left_out": [],
        }  # fmt: skip
        path.with_name(f"{participant}_ses-01_ct.json").write_text(json.dumps(sidecar))
    (folder / "quality").mkdir()
    (folder / "quality" / "refused.tsv").write_text(
        "participant_id\tcode\tmessage\n"
        "sub-5a314579d097\tHC207\tHC207 The scan was made with contrast agent.\n"
    )
    (folder / "quality" / "left_out.tsv").write_text(
        "participant_id\tsession\tseries\timages\tcode\treason\n"
        "sub-3a7ce02c108e\tses-01\t1\t2\tlocalizer\tlocalizer\n"
    )
    return write_quality_report(Dataset(folder)).read_text(encoding="utf-8")


def paper_page() -> str:
    columns = ("Who", "Accuracy, %", "Sensitivity, %", "PPV, %", "Specificity, %", "F1", "AUC")
    row = ("CTNet (ours, here)", *["87.0 (79.0 to 93.0)"] * 6)
    steps = [Step("Cohort", ("474 patients", "1:1 matched")), Step("Training", ("90 epochs",))]
    figure = Drawing("figure1", method_figure(steps, "SIMULATED"), "How it was done.", "Figure 1")
    table = PaperTable("table2", "Table 2. Model and readers", columns, (row, row))
    result = PaperResult((("Patients", "4"),), (table,), (figure,), ("No evidence.",), ())
    return str(paper_files(result)["report.html"])


def some_signs(mask: NDArray[np.bool_]) -> SignsView:
    about = "left, MCA; less than a third of the territory of the middle cerebral artery (12 %)."
    rows = (
        SignRow("Acute infarct", "41 (16 to 118) mL", about, Place(17, 90, 130)),
        SignRow("Leukoaraiosis", "1.2 (0.0 to 2.7)", "Of 4.", Place(14, 110, 80)),
        SignRow("Midline shift", "2.0 (0.0 to 4.5) mm", "Too small to name a side."),
    )
    return SignsView(rows, ("dense artery: slices of 5.0 mm average it away",), mask)


@pytest.fixture(scope="module")
def pages(
    prediction: Prediction,
    source: Source,
    demo: DemoResult,
    evaluation: EvaluationResult,
    reader_study: EvaluationResult,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    """Write every page that we make, each full of what makes it wide."""
    folder = tmp_path_factory.mktemp("pages")
    signs = some_signs((prediction.heatmap > 0.006) & prediction.stack.brain)
    hu = (80 * prediction.stack.frames).astype(np.float32)
    near = tuple(NearCase(f"sub-0123456789a{n}_ses-01", n % 2 > 0, n / 3) for n in range(5))
    m1 = RegionEvidence("left", "MCA", "M1", 0.61, 11.0)
    rest = RegionEvidence("right", "ACA", None, 0.39, 0.0)
    leading = (Leading("left", (m1,), 0.07), Leading("right", (rest,), None))
    places = EvidencePlaces((m1, rest), leading)
    prediction = replace(prediction, nearest=Nearest(near, 0.41, 613, 32))
    facts = facts_of({"nihss": 17, "glucose_mg_dl": 210, "age": 74, "treatment": "thrombolytic"})
    scores = [apply(one, facts) for one in all_scores().values() if one.predicts == "bleeding"]
    for name, lang in (("case", "en"), ("case-zh", "zh")):
        setting = Setting(base_rate=0.4, language=language(lang))
        write_case_page(
            prediction, source, folder / f"{name}.html", signs=signs, hu=hu, places=places,
            scores=scores, setting=setting,
        )  # fmt: skip
    analysis = reader_study.readers
    assert analysis is not None
    texts = {
        "demo": demo_page(demo),
        "quality": quality_page(folder / "dataset"),
        "evaluation": evaluation_page(evaluation, draw_evaluation(evaluation), ()),
        "readers": evaluation_page(reader_study, (), draw_readers(analysis, simulated=False)),
        "paper": paper_page(),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in PAGES}


@pytest.mark.parametrize("name", PAGES)
def test_nothing_runs_out_of_a_page_and_no_column_is_a_letter_wide(
    name: str, pages: dict[str, Path], browser: Any, artefacts: Path
) -> None:
    """Pictures of it are kept where HEMOCAST_TEST_LOOK is set: they take seconds."""
    page = browser.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda told: told.type == "error" and faults.append(told.text))
    page.goto(pages[name].as_uri())
    keep = os.environ.get("HEMOCAST_TEST_LOOK")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(OVERFLOW) == [], f"{width} px"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(NARROW) == [], f"{width} px"
        assert page.evaluate(CUT) == [], f"{width} px"
        if keep:
            page.screenshot(path=artefacts / f"{name}-{width}.png", full_page=True)
    page.emulate_media(media="print")
    landscape = "landscape" if name == "quality" else "portrait"
    page.set_viewport_size({"width": A4_PX[landscape], "height": 900})
    assert page.evaluate(OVERFLOW) == [], "on paper"
    assert page.evaluate(NARROW) == [], "on paper"
    sheets = page.pdf(prefer_css_page_size=True, print_background=False)
    assert sheets.startswith(b"%PDF")
    if keep:
        (artefacts / f"{name}.pdf").write_bytes(sheets)
    assert not faults
    page.close()


def test_a_click_on_a_sign_opens_the_frame_where_it_was_measured(
    pages: dict[str, Path], browser: Any
) -> None:
    page = browser.new_page()
    page.goto(pages["case"].as_uri())
    page.wait_for_selector("[data-viewer]:not([hidden])")
    places = page.locator("button.place")
    assert places.count() == 2, "the third has no place"
    for at, frame in ((1, "15"), (0, "18")):
        places.nth(at).click()
        assert page.locator("input[name=frame]").input_value() == frame
    page.close()


def opened(path: Path, browser: Any) -> Any:
    """Open a case's page on a desk, its viewer ready."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(path.as_uri())
    page.wait_for_selector("[data-viewer]:not([hidden])")
    return page


@pytest.mark.parametrize("name", ["case", "case-zh"])
def test_number_and_scan_stand_side_by_side_and_whole(
    name: str, pages: dict[str, Path], browser: Any
) -> None:
    page = opened(pages[name], browser)
    boxes = {
        place: page.locator(place).bounding_box()
        for place in (".big", ".verdict", "#doubt", "[data-plane=axial]", "[data-plane=coronal]",
                      "[data-plane=sagittal]", "[name=frame]", "[name=opacity]")
    }  # fmt: skip
    for place, box in boxes.items():
        assert box["y"] >= 0, place
        assert box["y"] + box["height"] <= 900, place
    assert boxes[".big"]["x"] + boxes[".big"]["width"] <= boxes["[data-plane=axial]"]["x"]
    assert boxes[".big"]["y"] < 200
    sheets = page.pdf(prefer_css_page_size=True, print_background=False)
    assert len(re.findall(rb"/Type\s*/Page\b", sheets)) == 2
    page.close()


def test_window_probe_and_planes_show_the_scan(pages: dict[str, Path], browser: Any) -> None:
    """Black and white of the window follow the sliders; the probe reads 80 HU of a level of 1."""
    page = opened(pages["case"], browser)
    grey = """() => {
        const canvas = document.querySelector("[data-plane=axial]");
        const pen = canvas.getContext("2d");
        return pen.getImageData(canvas.width * 0.3, canvas.height / 2, 1, 1).data[0];
    }"""
    before = page.evaluate(grey)
    page.locator("[name=low]").fill("0")
    page.locator("[name=high]").fill("80")
    assert page.locator("[data-of=high]").text_content() == "80"
    assert page.evaluate(grey) != before
    page.locator("[name=low]").fill("80")
    assert page.evaluate(grey) == 0
    box = page.locator("[data-plane=axial]").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + box["height"] / 2)
    assert re.fullmatch(r"\d+ HU at the pointer", page.locator("[data-hu]").text_content())
    frame = page.locator("[name=frame]")
    coronal = page.locator("[data-plane=coronal]")
    box = coronal.bounding_box()
    coronal.click(position={"x": box["width"] / 2, "y": box["height"] - 1})
    assert frame.input_value() == "1"
    coronal.click(position={"x": box["width"] / 2, "y": 1})
    assert frame.input_value() == "28"
    page.locator("[data-plane=axial]").press("ArrowDown")
    assert frame.input_value() == "27"
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(name: str, pages: dict[str, Path], browser: Any) -> None:
    """Landmarks, names, contrast and keyboard, by axe-core; a patient's page in dark too."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")
    for scheme in ("light", "dark") if name.startswith("case") else ("light",):
        # The page's own policy would keep axe out.
        page = browser.new_page(bypass_csp=True, color_scheme=scheme)
        page.goto(pages[name].as_uri())
        if name.startswith("case"):
            page.wait_for_selector("[data-viewer]:not([hidden])")
        found = axe.Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
        page.close()
