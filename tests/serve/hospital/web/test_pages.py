"""What people see and enter."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from hemocast.serve.hospital.people.audit import Kind

from .conftest import REPORT, Hospital, form_token

LogIn = Callable[..., TestClient]


def test_a_row_tells_what_became_of_a_study(hospital: Hospital, log_in: LogIn) -> None:
    hospital.predict(hospital.arrive(1), 0.3125)
    hospital.send(1, "pacs", "sent", "0000", "a")
    hospital.send(1, "pacs", "sent", "0000", "b")
    hospital.send(1, "archive", "failed", "A700")
    hospital.set(hospital.arrive(2), "refused", "HC207", "HC207 Contrast was given")
    text = log_in().get("/").text
    assert text.index("ACC2") < text.index("ACC1"), "the last to arrive first"
    for told in ("31 %", "pacs: sent (2)", "archive: failed (1)", "A700", "HC207", "refused"):
        assert told in text
    assert "MRN" not in text
    assert "DOE" not in text


def test_every_page_is_valid_html(
    hospital: Hospital, log_in: LogIn, html_faults: Callable[[str], list[str]]
) -> None:
    hospital.predict(hospital.arrive(1), 0.3125)
    hospital.set(hospital.arrive(2), "refused", "HC207", "HC207 Contrast was given")
    visitor = log_in("admin")
    pages = ("/", "/case/1", "/case/2", "/outcomes", "/health", "/audit", "/case/99")
    for path in pages:
        assert html_faults(visitor.get(path).text) == [], path
    assert html_faults(hospital.visit().get("/login").text) == []


def test_many_studies_are_leafed_through(hospital: Hospital, log_in: LogIn) -> None:
    for number in range(1, 121):
        hospital.arrive(number)
    visitor = log_in()
    first, last = visitor.get("/").text, visitor.get("/?number=3").text
    assert first.count("/case/") == 50
    assert last.count("/case/") == 20
    assert "120 studies, page 3 of 3" in last
    assert visitor.get("/?number=999999999").text.count("/case/") == 20
    assert visitor.get("/?number=-5").text.count("/case/") == 50


def test_a_state_can_be_chosen(hospital: Hospital, log_in: LogIn) -> None:
    hospital.set(hospital.arrive(1), "failed", "HC008")
    hospital.arrive(2)
    text = log_in().get("/?state=failed").text
    assert "ACC1" in text
    assert "ACC2" not in text


def test_an_accession_is_found_and_stands_in_no_address(hospital: Hospital, log_in: LogIn) -> None:
    for number in range(1, 4):
        hospital.arrive(number)
    visitor = log_in()
    found = visitor.post("/find", data={"accession": " ACC2 ", "csrf": form_token(visitor)})
    assert found.text.count("/case/") == 1
    assert "/case/2" in found.text
    nothing = visitor.post("/find", data={"accession": "ACC", "csrf": form_token(visitor)})
    assert "No study has this accession number" in nothing.text
    acts = [one.act for one in hospital.desk.audit.entries() if one.act.detail == "accession"]
    assert [act.studies for act in acts] == [(), (2,)]


def test_the_page_of_a_scan_is_given_as_it_was_made_and_locked_in(
    hospital: Hospital, log_in: LogIn
) -> None:
    hospital.predict(hospital.arrive(1), 0.3)
    visitor = log_in()
    assert 'src="/case/1/report/scan-1"' in visitor.get("/case/1").text
    page = visitor.get("/case/1/report/scan-1")
    assert page.text == REPORT
    policy = page.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policy
    acts = [one.act for one in hospital.desk.audit.entries(most=2)]
    assert [(act.kind, act.studies) for act in acts] == [(Kind.CASE, (1,))] * 2


@pytest.mark.parametrize("scan", ["scan-2", "%2e%2e", "%2e%2e%2fscan-1", "scan-1%00", "-", "a%2Fb"])
def test_no_other_file_is_given(hospital: Hospital, log_in: LogIn, scan: str) -> None:
    hospital.predict(hospital.arrive(1), 0.3)
    assert log_in().get(f"/case/1/report/{scan}").status_code == 404


def test_outcomes_are_kept_with_their_history(hospital: Hospital, log_in: LogIn) -> None:
    hospital.arrive(1)
    visitor = log_in()
    for blood, grade, day in (("0", "", "2026-01-30"), ("1", "PH2", "2026-01-31")):
        given = {"blood": blood, "grade": grade, "seen_on": day, "csrf": form_token(visitor)}
        assert visitor.post("/case/1/outcome", data=given).status_code == 303
    history = hospital.desk.outcomes.history(1)
    assert [(one.outcome.blood, one.outcome.grade, one.who) for one in history] == [
        (True, "PH2", "reader"), (False, "none", "reader"),
    ]  # fmt: skip
    text = visitor.get("/case/1").text
    assert text.index("2026-01-31") < text.index("2026-01-30")
    assert "blood, PH2" in visitor.get("/").text


@pytest.mark.parametrize(
    "given",
    [
        {"blood": "0", "grade": "PH1", "seen_on": "2026-01-30"},
        {"blood": "2", "grade": "", "seen_on": "2026-01-30"},
        {"blood": "1", "grade": "PH3", "seen_on": "2026-01-30"},
        {"blood": "1", "grade": "", "seen_on": "2226-01-30"},
        {"blood": "1", "grade": "", "seen_on": "31.1.2026"},
        {},
    ],
)
def test_an_outcome_that_cannot_be_is_refused(
    hospital: Hospital, log_in: LogIn, given: dict[str, str]
) -> None:
    hospital.arrive(1)
    visitor = log_in()
    answer = visitor.post("/case/1/outcome", data=given | {"csrf": form_token(visitor)})
    assert answer.status_code == 422
    assert "HC401" in answer.text
    assert hospital.desk.outcomes.history(1) == []


def test_a_table_of_outcomes_is_kept_whole_or_not_at_all(hospital: Hospital, log_in: LogIn) -> None:
    for number in range(1, 4):
        hospital.arrive(number)
    visitor = log_in()

    def send(text: str) -> TestClient:
        files = {"table": ("outcomes.csv", text)}
        return visitor.post("/outcomes", files=files, data={"csrf": form_token(visitor)})

    bad = send("accession,blood,grade,date\nACC1,1,PH1,2026-01-30\nACC9,0,,2026-01-30\n")
    assert bad.status_code == 422
    assert "row 3" in bad.text
    assert "ACC9" not in bad.text
    assert hospital.desk.outcomes.history(1) == []
    good = send(
        "accession,study_uid,blood,grade,date\nACC1,,1,PH1,2026-01-30\n,1.2.2,0,,2026-01-30\n"
    )
    assert good.status_code == 200
    assert "2 outcomes were kept" in good.text
    kept = [hospital.desk.outcomes.history(study) for study in (1, 2, 3)]
    assert [[one.outcome.grade for one in each] for each in kept] == [["PH1"], ["none"], []]


def test_an_accession_of_two_studies_names_neither(hospital: Hospital, log_in: LogIn) -> None:
    hospital.arrive(1, "SAME")
    hospital.arrive(2, "SAME")
    visitor = log_in()
    files = {"table": ("o.csv", "accession,blood,grade,date\nSAME,1,,2026-01-30\n")}
    answer = visitor.post("/outcomes", files=files, data={"csrf": form_token(visitor)})
    assert answer.status_code == 422
    assert "exactly one study" in answer.text


def test_what_senders_write_is_shown_as_text(hospital: Hospital, log_in: LogIn) -> None:
    hospital.arrive(1, "<b>x</b>&\"'")
    hospital.set(1, "refused", "rule", "<script>alert(1)</script>")
    hospital.send(1, "pacs", "failed", "<img src=x>")
    visitor = log_in()
    for path in ("/", "/case/1"):
        text = visitor.get(path).text
        assert "<b>x" not in text
        assert "<script" not in text
        assert "<img" not in text
        assert "&lt;b&gt;x&lt;/b&gt;&amp;&#34;&#39;" in text


def test_an_administrator_sees_who_did_what(hospital: Hospital, log_in: LogIn) -> None:
    hospital.arrive(1)
    log_in().get("/case/1")
    hospital.visit().post("/login", data={"name": "reader", "password": "wrong"})
    text = log_in("admin").get("/audit").text
    assert "added reader as reader" in text
    assert "log-in <span" in text
    assert 'href="/case/1"' in text
    assert hospital.desk.audit.check() is None


def test_health_tells_numbers(hospital: Hospital, log_in: LogIn) -> None:
    hospital.predict(hospital.arrive(1), 0.3)
    hospital.set(hospital.arrive(2), "refused", "HC207")
    text = log_in("engineer").get("/health").text
    assert "HC207" in text
    assert "Last slice to result" in text
    assert "ACC1" not in text
