"""The settings of the service: every one in the file, unknown ones refused, defaults safe."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from hemocast.errors import ConfigError
from hemocast.serve.hospital.settings import HospitalConfig, Peer, read_settings, settings_text


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "hospital.yaml"
    path.write_text(text)
    return path


def test_the_commented_file_holds_every_setting_as_it_is(tmp_path: Path) -> None:
    text = settings_text()
    assert read_settings(write(tmp_path, text)) == HospitalConfig()
    loaded = yaml.safe_load(text)
    for room, field in HospitalConfig.model_fields.items():
        assert set(loaded[room]) == set(field.annotation.model_fields)


def test_the_examples_of_the_file_are_settings(tmp_path: Path) -> None:
    examples = settings_text().partition("# A peer, and rules")[2].splitlines()[1:]
    text = "\n".join(
        line.removeprefix("#").removeprefix(" ")
        for line in examples
        if " - " in line or line.endswith(":")
    )
    settings = read_settings(write(tmp_path, text))
    assert settings.peer("pacs").results
    assert settings.query("heads").body_part == ("HEAD", "BRAIN")
    assert [rule.skip for rule in settings.analysis.rules][-1] is None


def test_by_default_the_node_listens_on_this_machine_alone_and_nothing_leaves() -> None:
    usual = HospitalConfig()
    assert usual.node.host == "127.0.0.1"
    assert usual.delivery.peers == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("node: {prot: 104}", "node.prot: no such setting .perhaps port"),
        ("delivery: {peers: [{name: a, ae_title: A, host: h, prot: 1}]}", "perhaps port"),
        ("node: {addresses: [10.0.0.300]}", "node.addresses"),
        ("node: {tls_key: k.pem}", "belong together"),
        ("node: {ae_title: '  '}", "node.ae_title"),
        ("analysis: {rules: [{body_part: [CHEST]}]}", "names a model, or says why"),
        ("delivery: {peers: [{name: a}]}", "delivery.peers.0.ae_title: Field required"),
        ("pull: {queries: [{name: q}]}", "asks a peer, or an address"),
        ("pull: {queries: [{name: q, peer: p}]}", "that delivery.peers does not name"),
        ("pull: {queries: [{name: q, web: 'file:///x'}]}", "pull.queries.0.web"),
        ("{storage: {root: a}, watch: {folder: a/b}}", "must not hold each other"),
        ("sign_in: {issuer: 'http://id.example.org', reader: [a]}", "sign_in.issuer"),
        ("sign_in: {issuer: 'https://id.example.org'}", "must name a group"),
        ("sign_in: {scopes: [profile]}", "must hold openid"),
        (
            "{sign_in: {issuer: 'https://a.org', reader: [a]}, web: {address: 'http://b.org'}}",
            "needs web.address with https",
        ),
        ("node: [", "could not be read"),
    ],
)
def test_a_fault_is_refused_by_its_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_settings(write(tmp_path, text))


def test_a_peer_is_known_by_its_name() -> None:
    settings = HospitalConfig.model_validate(
        {"delivery": {"peers": [{"name": "a", "ae_title": "A", "host": "h"}]}}
    )
    assert settings.peer("a") == Peer(name="a", ae_title="A", host="h")
    with pytest.raises(ConfigError, match="no peer"):
        settings.peer("b")
    with pytest.raises(ConfigError, match="no query"):
        settings.query("b")


def test_an_sqlite_file_has_one_service() -> None:
    with pytest.raises(ValidationError, match="PostgreSQL"):
        HospitalConfig.model_validate({"storage": {"member": "one"}})


def test_what_the_how_to_sets_are_settings(tmp_path: Path) -> None:
    pages = Path(__file__).parents[3] / "docs" / "how-to"
    text = "".join((pages / f"{name}.md").read_text() for name in ("hospital", "hospital-people"))
    shown = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    settings = [read_settings(write(tmp_path, text)) for text in shown]
    assert len(settings) >= 4
    assert any(one.sign_in.admin for one in settings)
    assert any(one.watch.folder is not None for one in settings)
    assert any(one.pull.queries for one in settings)
    assert any(peer.commitment for one in settings for peer in one.delivery.peers)
