"""The reading room in a real browser: a whole session, a reload, two readers, the keyboard alone.

What is looked at lies in tests/artefacts afterwards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hemocast.readers.store.answers import last_finals
from hemocast.readers.study.folder import Study

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")
expect = sync_api.expect

READY = {"state": "hidden"}


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that opens a link in a browser of its own, and fails on page errors."""
    contexts, faults = [], []

    def _visit(link: str, width: int = 1280, height: int = 800) -> Any:
        contexts.append(browser.new_context(viewport={"width": width, "height": height}))
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda told: told.type == "error" and faults.append(told.text))
        open_link(page, link)
        return page

    yield _visit
    for context in contexts:
        context.close()
    assert not faults


def open_link(page: Any, link: str) -> None:
    page.goto(link)
    expect(page.locator("#enter")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/")


def begin(page: Any) -> None:
    page.locator("#go").click()
    case_is(page, 1)


@pytest.fixture
def first_case(
    new_study: Callable[..., Study], serve: Callable[..., Any], visit: Callable[..., Any]
) -> Any:
    """Return the page of a reader whose first case is open."""
    page = visit(serve(new_study()).link("R1"))
    begin(page)
    return page


def case_is(page: Any, number: int) -> None:
    expect(page.locator("#where")).to_have_text(f"Case {number} of 10", timeout=20_000)
    page.wait_for_selector("#loading", **READY)


def saved(page: Any) -> None:
    expect(page.locator("#saved")).to_contain_text("Saved", timeout=20_000)


def pixels(page: Any) -> list[int]:
    """Every 40th grey of the middle of the canvas, after it was drawn."""
    return page.evaluate(
        """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
            const canvas = document.getElementById("picture");
            const { width, height } = canvas;
            const box = [width / 4, height / 4, width / 2, height / 2].map(Math.round);
            const data = canvas.getContext("2d").getImageData(...box).data;
            done(Array.from(data).filter((_, i) => i % 160 === 0));
        })))"""
    )


def by_keys(page: Any, number: int) -> None:
    """Read one case with the keyboard alone: 50 + 5 x (number + 1) percent."""
    for key in ["ArrowUp", "2", *["ArrowRight"] * (number + 1), "y" if number % 2 else "n"]:
        page.keyboard.press(key)
    page.keyboard.press(f"Shift+Digit{1 + number % 5}")
    page.keyboard.press("Enter")


def test_a_whole_session_by_the_keyboard_alone_with_a_reload_in_the_middle(
    new_study: Callable[..., Study],
    serve: Callable[..., Any],
    visit: Callable[..., Any],
    artefacts: Path,
) -> None:
    room = serve(new_study())
    page = visit(room.link("R1"))
    expect(page.locator("#go")).to_be_focused()
    assert page.url == f"{room.address}/"  # the link has left the address bar
    page.keyboard.press("Enter")
    for number in range(4):
        case_is(page, number + 1)
        by_keys(page, number)
    case_is(page, 5)
    for key in ("ArrowLeft", "Shift+ArrowLeft", "y", "m", "ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")  # ends the mark, does not submit
    saved(page)
    page.reload()
    case_is(page, 5)
    expect(page.locator("#number")).to_have_value("44")
    expect(page.locator("#decision input[value='1']")).to_be_checked()
    expect(page.locator("#mark-list li")).to_have_count(1)
    expect(page.locator("#missing")).to_have_text("Missing: how sure")
    page.keyboard.press("Enter")
    case_is(page, 5)  # nothing incomplete is submitted
    page.keyboard.press("Shift+Digit3")
    page.keyboard.press("Enter")
    for number in range(5, 10):
        case_is(page, number + 1)
        by_keys(page, number)
    expect(page.locator("#message-title")).to_have_text("Finished. Thank you.")
    page.screenshot(path=artefacts / "reading_finished.png")
    finals = last_finals(room.store.answers())
    assert [key[2] for key in sorted(finals)] == list(range(1, 11))
    for (_, _, order), kept in finals.items():
        number = order - 1
        given = kept.answer
        assert given.probability == (0.44 if number == 4 else (55 + 5 * number) / 100)
        assert given.decision == (1 if number == 4 else number % 2)
        assert given.confidence == (3 if number == 4 else 1 + number % 5)
        assert 0 < given.seconds < 120
    assert any(not kept.answer.final for kept in room.store.answers())  # drafts are kept too


def test_a_correction_appends_and_the_pointer_reaches_everything(
    new_study: Callable[..., Study], serve: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    room = serve(new_study())
    page = visit(room.link("R1"))
    begin(page)
    page.locator("#number").fill("70")
    page.locator("#decision input").first.click()
    page.locator("#confidence input").nth(3).click()
    expect(page.locator("#picture")).to_be_focused()  # an arrow now scrolls, it answers nothing
    page.locator("#submit").click()
    case_is(page, 2)
    page.locator("#previous").click()
    case_is(page, 1)
    expect(page.locator("#number")).to_have_value("70")
    expect(page.locator("#submit")).to_contain_text("Save the correction")
    page.locator("#number").fill("20")
    page.locator("#submit").click()
    case_is(page, 2)
    finals = room.store.answers(final=True)
    assert [kept.answer.probability for kept in finals] == [0.7, 0.2]
    assert finals[0].answer.seconds < finals[1].answer.seconds
    (last,) = last_finals(finals).values()
    assert last.answer.probability == 0.2


def test_a_changed_submission_is_a_draft_until_it_is_submitted_and_the_reader_waits(
    new_study: Callable[..., Study], serve: Callable[..., Any], browser: Any, artefacts: Path
) -> None:
    room = serve(new_study())
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    open_link(page, room.link("R1"))
    begin(page)
    by_keys(page, 0)
    case_is(page, 2)
    page.locator("#previous").click()
    case_is(page, 1)
    page.locator("#number").fill("20")
    expect(page.locator("#saved")).to_contain_text("Draft saved", timeout=20_000)
    expect(page.locator("#saved")).to_contain_text("not yet submitted")
    page.screenshot(path=artefacts / "reading_draft_of_a_correction.png")
    assert len(room.store.answers(final=True)) == 1
    context.set_offline(True)
    page.locator("#submit").click()
    expect(page.locator("#saved")).to_contain_text("Not saved yet", timeout=20_000)
    expect(page.locator("#next")).to_be_disabled()
    page.keyboard.press("x")
    case_is(page, 1)
    context.set_offline(False)
    case_is(page, 2)
    expect(page.locator("#previous")).to_be_enabled()
    (last,) = last_finals(room.store.answers()).values()
    assert last.answer.probability == 0.2
    context.close()


def test_windows_change_pixels_and_slices_scroll(first_case: Any) -> None:
    page = first_case
    greys = {}
    for key in "123":
        page.keyboard.press(key)
        greys[key] = np.array(pixels(page))
    # 80, 40 and 100 HU wide: within the brain a grey is worth twice or 0.8 times as much.
    brain = (greys["1"] > 85) & (greys["1"] < 145)
    for key, times in (("2", 2.0), ("3", 0.8)):
        slope = np.polyfit(greys["1"][brain], greys[key][brain], 1)[0]
        assert slope == pytest.approx(times, rel=0.1)
    shown = pixels(page)
    page.keyboard.press("ArrowUp")
    expect(page.locator("#slice-text")).to_have_text("Frame 16 / 28")
    assert pixels(page) != shown
    page.mouse.move(400, 400)
    page.mouse.wheel(0, 120)
    expect(page.locator("#slice-text")).to_have_text("Frame 15 / 28")
    assert pixels(page) == shown
    page.mouse.down()
    page.mouse.move(460, 400, steps=3)
    page.mouse.up()
    assert pixels(page) != shown  # a wider window
    for key, text in (("Home", "Frame 1 / 28"), ("End", "Frame 28 / 28")):
        page.keyboard.press(key)
        expect(page.locator("#slice-text")).to_have_text(text)
    for _ in range(10):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("f")  # the full series opens at the height of frame 18, and back
    expect(page.locator("#slice-text")).to_contain_text("Slice")
    slice_number = int(page.locator("#slice-text").inner_text().split()[1])
    page.keyboard.press("f")
    expect(page.locator("#slice-text")).to_have_text("Frame 18 / 28")
    page.keyboard.press("f")
    expect(page.locator("#slice-text")).to_have_text(f"Slice {slice_number} / 30")
    series = pixels(page)
    page.keyboard.press("+")
    assert pixels(page) != series
    page.keyboard.press("0")
    assert pixels(page) == series


def test_marks_are_drawn_kept_and_removed(
    new_study: Callable[..., Study],
    serve: Callable[..., Any],
    visit: Callable[..., Any],
    artefacts: Path,
) -> None:
    room = serve(new_study())
    page = visit(room.link("R1"))
    begin(page)
    before = pixels(page)
    for tool, (x, y) in (("ellipse", (420, 380)), ("box", (500, 380)), ("brush", (420, 500))):
        page.locator(f"[data-tool={tool}]").click()
        page.mouse.move(x, y)
        page.mouse.down()
        page.evaluate("window.dispatchEvent(new Event('pagehide'))")  # a draft, of one point yet
        page.mouse.move(x + 60, y + 50, steps=4)
        page.mouse.up()
        page.locator(f"[data-tool={tool}]").click()
    expect(page.locator("#mark-list li")).to_have_count(3)
    page.screenshot(path=artefacts / "reading_marking.png")
    assert pixels(page) != before
    page.locator("#mark-list li").last.get_by_text("Remove").click()
    expect(page.locator("#mark-list li")).to_have_count(2)
    page.wait_for_timeout(400)
    saved(page)
    marks = json.loads(room.store.answers()[-1].answer.regions)
    assert [mark["shape"] for mark in marks] == ["ellipse", "box"]
    (left, top), (right, bottom) = marks[0]["points"]
    assert right > left
    assert bottom > top
    assert (marks[0]["view"], marks[0]["slice"]) == ("frames", 14)
    # The canvas is 0.7 mm pixels scaled alike in both directions: 60 : 50 stays 60 : 50.
    assert (right - left) / (bottom - top) == pytest.approx(60 / 50, rel=0.03)


def test_two_readers_at_once_blinded_with_the_model_for_one(
    new_study: Callable[..., Study],
    serve: Callable[..., Any],
    visit: Callable[..., Any],
    participants: list[str],
    artefacts: Path,
) -> None:
    """All that the browsers receive is searched for identities, labels and clinical values."""
    room = serve(new_study(aided=True))
    pages, told = {}, []

    def listen(page: Any) -> None:
        def note(response: Any) -> None:
            told.append(response.url)
            told.append(repr(response.all_headers()))
            if response.request.method == "GET" and "frames" not in response.url:
                told.append(response.body().decode("latin-1"))

        page.on("requestfinished", lambda request: note(request.response()))

    for name in room.design.readers:
        arm = room.design.arm_order(name)[0]
        pages[arm] = visit(room.link(name), *((820, 1180) if arm == "aided" else (1280, 800)))
        listen(pages[arm])
        begin(pages[arm])
    orders = [
        [shown.scan_id for shown in room.design.reading_list(name)][:10]
        for name in room.design.readers
    ]
    assert orders[0] != orders[1]
    for number in range(3):
        for page in pages.values():
            case_is(page, number + 1)
            by_keys(page, number)
    for page in pages.values():
        case_is(page, 4)
    expect(pages["unaided"].locator("#model")).to_be_hidden()
    expect(pages["unaided"].locator("#heat")).to_be_hidden()
    expect(pages["aided"].locator("#model-text")).to_contain_text("research model")
    expect(pages["aided"].locator("#model-simulated")).to_be_visible()
    plain = pixels(pages["aided"])
    pages["aided"].keyboard.press("h")
    assert pixels(pages["aided"]) != plain
    for arm, page in pages.items():
        expect(page.locator("#simulated")).to_be_visible()
        expect(page.locator(".notice")).to_have_text("Research use only")
        told += [page.content(), page.title(), page.url]
        page.screenshot(path=artefacts / f"reading_{arm}.png")
    assert len(room.store.answers(final=True)) == 6
    everything = "\n".join(told).lower()
    assert len(everything) > 50_000
    for i, participant in enumerate(participants):
        assert participant not in everything
        assert participant[4:] not in everything
        assert f"4{i}.125" not in everything
    for word in ("nihss", "participant_id", "scan_id", "ses-01", ".nii"):
        assert word not in everything


def test_the_keys_are_shown_before_the_first_case_too(
    new_study: Callable[..., Study], serve: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    page = visit(serve(new_study()).link("R1"))
    expect(page.locator("#go")).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    begin(page)


def test_what_an_incomplete_submission_lacks_is_said_by_enter_and_by_the_button(
    first_case: Any,
) -> None:
    page = first_case
    page.keyboard.press("y")
    page.keyboard.press("Enter")
    case_is(page, 1)
    missing = page.locator("#missing")
    expect(missing).to_have_text("Not submitted. Missing: how likely, how sure")
    expect(page.locator("fieldset.lacking")).to_have_count(2)
    page.locator("#number").fill("40")
    expect(missing).to_have_text("Missing: how sure")
    page.keyboard.press("Enter")  # in the field of the number
    expect(missing).to_have_text("Not submitted. Missing: how sure")
    page.locator("#submit").click()
    expect(missing).to_have_text("Not submitted. Missing: how sure")
    page.keyboard.press("Shift+Digit2")
    page.keyboard.press("Enter")
    case_is(page, 2)


def test_delete_leaves_the_marks_of_another_view_alone(first_case: Any) -> None:
    page = first_case
    for key in ("m", "Enter", "f"):
        page.keyboard.press(key)
    expect(page.locator("#slice-text")).to_contain_text("Slice")
    rows = page.locator("#mark-list li")
    expect(rows).to_have_class(["elsewhere"])
    page.keyboard.press("Delete")
    expect(rows).to_have_count(1)
    for key in ("m", "Enter"):
        page.keyboard.press(key)
    expect(rows).to_have_class(["elsewhere", ""])
    expect(rows.last).to_contain_text("Ellipse, full series, slice")
    page.keyboard.press("Delete")
    expect(rows).to_have_class(["elsewhere"])
    rows.first.get_by_text("Ellipse, frame 15").click()
    expect(page.locator("#slice-text")).to_have_text("Frame 15 / 28")
    page.keyboard.press("Delete")
    expect(rows).to_have_count(0)


def test_ct_numbers_and_distances_are_told(first_case: Any, artefacts: Path) -> None:
    page = first_case
    box = page.locator("#picture").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    told = page.locator("#measured")
    expect(told).to_have_text(re.compile(r"^\u2212?\d+ HU, mean of 3 . 3 pixels \u2212?\d+$"))
    under_pointer = told.inner_text()
    page.mouse.move(box["x"] - 10, box["y"] - 10)
    expect(told).to_have_text("")
    page.keyboard.press("c")  # the same place by the keyboard
    expect(told).to_have_text(under_pointer)
    page.keyboard.press("c")
    page.keyboard.press("t")
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 120, middle[1], steps=3)
    page.mouse.up()
    length = float(re.search(r"([\d.]+) mm$", told.inner_text())[1])
    page.keyboard.press("m")  # a mark of the keyboard is 30 mm wide: the scale is the same
    expect(page.locator("#mark-list .hint")).to_be_visible()
    page.screenshot(path=artefacts / "reading_measuring.png")
    page.keyboard.press("Enter")
    page.mouse.down()
    page.mouse.move(middle[0] + 60, middle[1], steps=3)
    page.mouse.up()
    half = float(re.search(r"([\d.]+) mm$", told.inner_text())[1])
    assert half == pytest.approx(length / 2, rel=0.05)
    assert 20 < length < 120
    page.keyboard.press("ArrowUp")
    expect(told).not_to_have_text(re.compile("mm$"))


def test_coronal_and_sagittal_pictures_where_slices_are_thin_enough(
    first_case: Any, artefacts: Path
) -> None:
    page = first_case
    axial = pixels(page)
    page.keyboard.press("v")
    expect(page.locator("#slice-text")).to_have_text("Coronal 161 / 320")
    coronal = pixels(page)
    page.screenshot(path=artefacts / "reading_coronal.png")
    expect(page.locator("[data-tool=ellipse]")).to_be_disabled()
    page.locator("#plane-sagittal").click()
    expect(page.locator("#slice-text")).to_have_text("Sagittal 161 / 320")
    assert len({tuple(one) for one in (axial, coronal, pixels(page))}) == 3
    page.keyboard.press("v")
    assert pixels(page) == axial
    expect(page.locator("[data-tool=ellipse]")).to_be_enabled()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (320, 640)])
def test_nothing_is_cut_on_a_phone(
    new_study: Callable[..., Study],
    serve: Callable[..., Any],
    visit: Callable[..., Any],
    artefacts: Path,
    width: int,
    height: int,
) -> None:
    page = visit(serve(new_study()).link("R1"), width, height)
    cut = """() => [...document.querySelectorAll("body *")]
        .filter((n) => n.offsetParent && n.matches("button, p, legend, label, input, output, span"))
        .filter((n) => {
            const { left, right, bottom } = n.getBoundingClientRect();
            const low = document.documentElement.scrollHeight - scrollY;
            return left < -1 || right > innerWidth + 1 || bottom > low + 1
                || (n.matches("button") && n.scrollWidth > n.clientWidth + 1);
        }).map((n) => n.id || n.textContent.trim().slice(0, 30))"""
    assert page.evaluate(cut) == []
    begin(page)
    assert page.evaluate(cut) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.screenshot(path=artefacts / f"reading_{width}.png", full_page=True)
    picture = page.locator("#picture").bounding_box()
    assert min(picture["width"], picture["height"]) >= 300
    page.locator("#submit").scroll_into_view_if_needed()
    page.locator("#submit").click()
    expect(page.locator("#missing")).to_contain_text("Not submitted")


def test_an_answer_waits_for_a_server_that_is_away(
    new_study: Callable[..., Study], serve: Callable[..., Any], browser: Any
) -> None:
    room = serve(new_study())
    context = browser.new_context()
    page = context.new_page()
    open_link(page, room.link("R1"))
    begin(page)
    context.set_offline(True)
    page.keyboard.press("y")
    expect(page.locator("#saved")).to_contain_text("Not saved yet", timeout=20_000)
    context.set_offline(False)
    saved(page)
    assert [kept.answer.decision for kept in room.store.answers()] == [1]
    context.close()


def test_closing_the_page_loses_nothing(
    new_study: Callable[..., Study], serve: Callable[..., Any], browser: Any
) -> None:
    room = serve(new_study())
    link = room.link("R1")
    context = browser.new_context()
    page = context.new_page()
    open_link(page, link)
    begin(page)
    page.keyboard.press("n")  # not a moment to wait: the page is left before its pause is over
    page.goto("about:blank")
    page.goto(link)
    page.locator("#enter").click()
    expect(page.locator("#told")).to_contain_text("used already", timeout=20_000)
    page.locator("#on a").click()
    begin(page)
    expect(page.locator("#decision input[value='0']")).to_be_checked(timeout=20_000)
    context.close()


def test_text_and_targets_are_large_and_bright_enough(
    new_study: Callable[..., Study], serve: Callable[..., Any], visit: Callable[..., Any]
) -> None:
    """WCAG 2.2: contrast of text at least 4.5 (AA), targets at least 24 px; here 36."""
    page = visit(serve(new_study()).link("R1"))
    page.emulate_media(reduced_motion="reduce")  # colors are then there at once
    begin(page)
    small, pale = page.evaluate(
        """() => {
            const light = (text) => {
                const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map((c) => c / 255)
                    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const ground = (node) => {
                for (let at = node; at; at = at.parentElement) {
                    const { backgroundColor } = getComputedStyle(at);
                    if (!/(, 0\\)|\\/ 0\\))$/.test(backgroundColor)) return backgroundColor;
                }
            };
            const seen = [...document.querySelectorAll("body *")].filter((n) => n.offsetParent);
            const own = (n) => [...n.childNodes].some((c) => c.nodeType === 3 && c.data.trim());
            const pale = seen.filter((n) => own(n) && !n.closest(":disabled")).map((n) => {
                const [a, b] = [light(getComputedStyle(n).color), light(ground(n))];
                return [n.textContent, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
            }).filter(([, ratio]) => ratio < 4.5);
            const small = seen.filter((n) => n.matches("button, input, label"))
                .filter((n) => n.tagName !== "LABEL" || n.querySelector("input"))
                .map((n) => [n.id || n.textContent, n.getBoundingClientRect().height])
                .filter(([, height]) => height < 36);
            return [small, pale];
        }"""
    )
    assert small == []
    assert pale == []
    page.evaluate("document.getElementById('heat').hidden = false")
    assert page.locator(".tools").bounding_box()["height"] < 2 * 44, "one row, with all its tools"
