from __future__ import annotations

import hashlib

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
        "\n",
    ],
)
def test_hostile_or_foreign_content_with_a_good_hash_is_refused(body):
    with pytest.raises(ModelCorrupt):
        parse(signed(body))


def test_a_huge_file_is_not_parsed():
    with pytest.raises(ModelCorrupt, match="larger"):
        parse(signed("# " + "x" * (1 << 18) + "\n"))


def test_the_notice_of_a_model_trained_on_simulated_scans_is_exact(content):
    said = "demonstration model, trained on simulated scans, not for clinical use"
    assert parse(content).notice == said == DEMONSTRATION
