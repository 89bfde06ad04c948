from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast.errors import ModelCorrupt
from hemocast.model.schema import DEMONSTRATION, dump, parse


def signed(body: str) -> bytes:
    return body.encode() + f"sha256: {hashlib.sha256(body.encode()).hexdigest()}\n".encode()


@pytest.fixture(scope="module")
def content(folder) -> bytes:
    return (folder / "model.yaml").read_bytes()


def test_reading_and_writing_give_the_same_bytes(content):
    assert dump(parse(content)) == content


def test_it_is_plain_yaml(content):
    loaded = yaml.safe_load(content)
    assert loaded["schema_version"] == 1
    assert loaded["net"]["name"] == "ctnet3d"
    assert loaded["prepare"]["window_low"] == 10.0
    assert loaded["calibration"]["slope"] == 1.5
    assert set(loaded["files"]) == {"weights.safetensors", "model.onnx", "card.md"}


@given(st.data())
@settings(deadline=None, max_examples=80)
def test_any_changed_byte_is_seen(content, data):
    at = data.draw(st.integers(0, len(content) - 1))
    flip = data.draw(st.integers(1, 255))
    with pytest.raises(ModelCorrupt):
        parse(content[:at] + bytes([content[at] ^ flip]) + content[at + 1 :])


@given(st.integers(0, 2000))
@settings(deadline=None, max_examples=20)
def test_a_truncated_file_is_seen(content, length):
    if length < len(content):
        with pytest.raises(ModelCorrupt):
            parse(content[:length])


@pytest.mark.parametrize(
    "body",
    [
        "a: &a [1, 1]\nb: [*a, *a]\n",
        "- 1\n",
        "schema_version: 2\n",
        "a: [1\n",
        "!!python/object/apply:os.system ['true']\n",
        "[" * 5000 + "\n",
        "- " * 100_000 + "1\n",
        "horizon: 2001-99-99\n",
        "n: 1" + "0" * 5000 + "\n",
        "n: 0x" + "f" * 50_000 + "\n",
        "n: 1" + ":59" * 400 + ".5\n",
        "? [1]\n: 1\n",
        "\n",
    ],
)
def test_hostile_or_foreign_content_with_a_good_hash_is_refused(body):
    with pytest.raises(ModelCorrupt):
        parse(signed(body))


NUMBERS = [
    ("bias", None), ("calibration", "slope"), ("calibration", "threshold"),
    ("calibration", "covariance"), ("calibration", "n_scans"), ("training", "prevalence"),
    ("training", "n_patients"), ("input_range", "extent"), ("prepare", "window_low"),
]  # fmt: skip


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e300])
@pytest.mark.parametrize(("part", "name"), NUMBERS)
def test_a_number_that_is_none_or_beyond_all_use_is_refused_wherever_it_stands(
    content, part, name, bad
):
    """A calibration of NaN was loaded before, and every scan was then done, with ``nan%``."""
    plain = yaml.safe_load(content)
    del plain["sha256"]
    value = {"covariance": [[1.0, bad], [bad, 1.0]], "extent": [0.3, bad]}.get(name, bad)
    if name is None:
        plain[part] = value
    else:
        plain[part][name] = value
    text = yaml.safe_dump(plain)
    with pytest.raises(ModelCorrupt):
        parse(signed(text))


@pytest.mark.parametrize(("threshold", "good"), [(-0.01, 0), (1.01, 0), (50, 0), (0, 1), (1, 1)])
def test_a_threshold_is_a_probability(content, threshold, good):
    """One of 50 was accepted, and every scan then called negative."""
    plain = yaml.safe_load(content)
    del plain["sha256"]
    plain["calibration"]["threshold"] = threshold
    text = signed(yaml.safe_dump(plain))
    if good:
        assert parse(text).calibration.threshold == threshold
        return
    with pytest.raises(ModelCorrupt):
        parse(text)


@pytest.mark.parametrize("huge", ["0x" + "f" * 50_000, "1" + "0" * 5000, "1" + ":59" * 400])
def test_a_whole_number_without_end_is_refused(content, huge):
    """Python turns none of more than 4,300 digits into text: the page of a case failed on it."""
    text = content.decode().replace("n_patients: 80", f"n_patients: {huge}")
    body = text[: text.rindex("sha256:")]
    assert huge in body
    with pytest.raises(ModelCorrupt):
        parse(signed(body))


@given(st.sampled_from(["name", "horizon", "version", "bias", "training", "files", "network"]))
@settings(deadline=None, max_examples=10, derandomize=True)
def test_dates_and_bytes_are_refused(content, name):
    plain = yaml.safe_load(content)
    del plain["sha256"]
    for bad in (date(2001, 1, 2), datetime(2001, 1, 2, tzinfo=UTC), b"\0x", {"a", "b"}):
        with pytest.raises(ModelCorrupt):
            parse(signed(yaml.safe_dump(plain | {name: bad})))


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.dates(),
    st.datetimes(), st.binary(max_size=8),
)  # fmt: skip
PLAIN = st.recursive(
    SCALARS,
    lambda part: (
        st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=9), part, max_size=3)
    ),
    max_leaves=8,
)


@given(st.data())
@settings(deadline=None, max_examples=150, derandomize=True)
def test_whatever_stands_in_a_description_it_is_one_or_refused(content, data):
    plain = yaml.safe_load(content)
    del plain["sha256"]
    name = data.draw(st.sampled_from(sorted(plain)))
    inner = plain[name]
    if isinstance(inner, dict) and data.draw(st.booleans()):
        inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(PLAIN)
    else:
        plain[name] = data.draw(PLAIN)
    try:
        read = parse(signed(yaml.safe_dump(plain)))
    except ModelCorrupt:
        return
    assert parse(dump(read)) == read


@given(st.binary(max_size=300) | st.text("[]{}-:,&*!?|>'\"%@ \n\t#~0123456789.eaf<=", max_size=200))
@settings(deadline=None, max_examples=300, derandomize=True)
def test_whatever_bytes_carry_a_good_hash_they_are_refused(text):
    body = (text.encode() if isinstance(text, str) else text) + b"\n"
    with pytest.raises(ModelCorrupt):
        parse(body + f"sha256: {hashlib.sha256(body).hexdigest()}\n".encode())


def test_a_huge_file_is_not_parsed():
    with pytest.raises(ModelCorrupt, match="larger"):
        parse(signed("# " + "x" * (1 << 18) + "\n"))


def test_the_notice_of_a_model_trained_on_simulated_scans_is_exact(content):
    said = "demonstration model, trained on simulated scans, not for clinical use"
    assert parse(content).notice == said == DEMONSTRATION
