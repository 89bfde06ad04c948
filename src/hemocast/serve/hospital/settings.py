"""Every setting of ``hemocast serve``, from one YAML file.

Unknown names are refused. What is not set is the safest: the node listens on this machine alone,
nothing leaves, and all studies are kept until the retention says otherwise.
"""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from hemocast.config import Settings, commented_settings, load_settings
from hemocast.errors import ConfigError
from hemocast.serve.hospital.people.settings import (
    CollectorConfig,
    SignInConfig,
    WebConfig,
    is_private,
)
from hemocast.serve.hospital.pull.settings import PullConfig, Query

AE_TITLE = r"^[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])?$"  # PS3.5: no backslash, not blank
_HEAD = (
    "# Settings of 'hemocast serve'. Those here are the defaults; each line may be changed or",
    "# left out. Paths are best given whole. Nothing is sent anywhere before a named person has",
    "# said so: 'hemocast serve deliver on'.",
)
_EXAMPLES = """
# A peer, and rules; the first rule that fits decides, and a study that none fits is analysed with
# the model above. Words are sought in the header's text, whatever their case.
#
# delivery:
#   peers:
#     - {name: pacs, ae_title: PACS, host: 10.0.0.5, port: 104, results: true}
#   endpoints:
#     - {name: ris, kind: hl7, address: mllp://10.0.0.6:2575}
#     - {name: fhir, kind: fhir, address: https://fhir.example.org/r4, token: /etc/hemocast/token}
#     - {name: web, kind: stow, address: https://pacs.example.org/dicom-web}
# analysis:
#   rules:
#     - {body_part: [CHEST, ABDOMEN], skip: no head}
#     - {procedure: [ANGIO, PERFUSION], skip: not a plain scan}
#     - {age_below: 18, skip: the model has learned from adults}
#     - {site: [NORTH], model: /srv/models/north}
#
# Studies that are fetched: what a peer got in the last hour, and all of patients who are here.
#
# pull:
#   queries:
#     - {name: heads, peer: pacs, hours: 1, body_part: [HEAD, BRAIN], every_s: 300}
#     - {name: follow-ups, peer: pacs, hours: 240, patients_days: 10, every_s: 3600}
#     - {name: archive, web: https://archive.example.org/dicom-web, hours: 24}
"""


class NodeConfig(Settings):
    """The DICOM node: what it is called, and who may send to it."""

    ae_title: str = Field("HEMOCAST", pattern=AE_TITLE, description="own AE title")
    any_called: bool = Field(False, description="take associations that call another title")
    host: str = Field("127.0.0.1", description="interface to listen on; 0.0.0.0: all")
    port: int = Field(11112, ge=0, le=65535, description="0: any that is free")
    callers: tuple[str, ...] = Field((), description="AE titles that may call; none: all")
    addresses: tuple[str, ...] = Field(
        (), description="addresses or networks (10.0.0.0/8) that may call; none: all"
    )
    associations: int = Field(16, ge=1, le=256, description="at once; more are refused")
    timeout_s: float = Field(60.0, ge=1, le=3600, description="a silent caller is let go after")
    pdu_bytes: int = Field(
        262_144, ge=16_384, le=8_388_608, description="largest piece of an object received"
    )
    commitment: bool = Field(
        False,
        description="tell modalities that ask (storage commitment) that their images are here; "
        "only for those that delete none for it: this is no archive",
    )
    tls_certificate: Path | None = Field(None, description="PEM; with tls_key: TLS is required")
    tls_key: Path | None = Field(None, description="PEM, readable by the service alone")
    tls_callers: Path | None = Field(
        None, description="PEM of the authorities whose certificates callers must show"
    )

    @field_validator("addresses")
    @classmethod
    def _are_networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for one in given:
            ip_network(one)
        return given

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together")
        if self.tls_callers is not None and self.tls_key is None:
            raise ValueError("tls_callers needs tls_certificate and tls_key")
        return self


class StorageConfig(Settings):
    """Where studies, results and their state lie, and for how long."""

    root: Path = Field(
        Path("hemocast-data"), description="folder of all data; its owner alone can read it"
    )
    database: str | None = Field(
        None, description="postgresql://USER@HOST/NAME; default: an SQLite file in the root"
    )
    member: str | None = Field(
        None,
        pattern=r"^[\w-]{1,40}$",
        description="this service's own name where several share root and database (PostgreSQL)",
    )
    reserve_gb: float = Field(
        5.0, ge=0, description="less free space than this and images are turned away (A700)"
    )
    pixels_days: float | None = Field(
        30.0, gt=0, description="images are deleted so long after a study's last move; null: never"
    )
    key: Path | None = Field(
        None, description="secret of the pseudonyms; default: a file in the root, made if missing"
    )

    @model_validator(mode="after")
    def _members_share_a_server(self) -> Self:
        if self.member is not None and not (self.database or "").startswith("postgresql"):
            raise ValueError("member needs a PostgreSQL database: an SQLite file has one service")
        return self


class JobsConfig(Settings):
    """When a study is complete, and how often what fails is tried again."""

    settle_s: float = Field(
        60.0, ge=0, le=86_400, description="a study is complete when no image came for so long"
    )
    told_s: float = Field(
        2.0,
        ge=0,
        le=86_400,
        description="... or, for so long, when all are here of which the sender or a query told",
    )
    lacking_s: float = Field(
        300.0,
        ge=0,
        le=86_400,
        description="... and only when none came for so long while fewer are here than were told",
    )
    workers: int = Field(1, ge=1, le=64, description="studies predicted at once, a process each")
    attempts: int = Field(5, ge=1, le=100, description="before a study waits for a person")
    backoff_s: float = Field(
        30.0, ge=0, le=86_400, description="before a second attempt; doubled for each further one"
    )
    time_limit_s: float = Field(600.0, ge=1, description="for one study; then its process is ended")


class Rule(Settings):
    """Which studies are meant, and what becomes of them. All that is given must fit.

    Each list is of words of which one must be in the header's text, whatever its case.
    """

    procedure: tuple[str, ...] = Field((), description="in the study's description or protocol")
    body_part: tuple[str, ...] = Field((), description="in BodyPartExamined")
    modality: tuple[str, ...] = Field((), description="is the modality")
    site: tuple[str, ...] = Field((), description="in the institution or the sender's AE title")
    age_below: int | None = Field(None, ge=0, description="years; a study without age fits not")
    age_from: int | None = Field(None, ge=0, description="years; a study without age fits not")
    model: Path | None = Field(None, description="folder of the model that predicts")
    skip: str | None = Field(None, min_length=1, description="why it is not analysed")

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if (self.model is None) == (self.skip is None):
            raise ValueError("a rule names a model, or says why a study is skipped")
        return self


class AnalysisConfig(Settings):
    """What predicts, and what is predicted."""

    model: Path | None = Field(
        None, description="folder of the usual model; default: the one that comes along"
    )
    lang: Literal["en", "zh"] = Field("en", description="of pages and objects")
    rules: tuple[Rule, ...] = Field((), description="see below")


class Peer(Settings):
    """Another DICOM node."""

    name: str = Field(pattern=r"^[\w-]{1,40}$")
    ae_title: str = Field(pattern=AE_TITLE)
    host: str = Field(min_length=1)
    port: int = Field(104, ge=1, le=65535)
    tls: bool = Field(False, description="with the node's certificate")
    results: bool = Field(False, description="results go there, once delivery is on")
    counts: Literal["study", "series"] | None = Field(
        None,
        description="asked how many CT images a study has that is arriving: all in it, or those of "
        "the series of which an image is here; null: not asked",
    )
    commitment: bool = Field(
        False, description="a result counts as sent only when the peer commits to keep it"
    )


class Endpoint(Settings):
    """Another system that takes results: by FHIR, HL7 v2 over MLLP, or STOW-RS."""

    name: str = Field(pattern=r"^[\w-]{1,40}$")
    kind: Literal["fhir", "hl7", "stow"]
    address: str = Field(description="https://... of fhir and stow, mllp://HOST:PORT of hl7")
    token: Path | None = Field(None, description="file with the bearer token of a FHIR server")

    @model_validator(mode="after")
    def _address_is_of_its_kind(self) -> Self:
        schemes = ("mllp",) if self.kind == "hl7" else ("http", "https")
        found = urlsplit(self.address)
        if found.scheme not in schemes or not found.hostname or found.username is not None:
            raise ValueError(
                f"the address of {self.kind} is {schemes[-1]}://HOST..., without names"
            )
        if self.kind == "hl7" and found.port is None:
            raise ValueError("the address of hl7 is mllp://HOST:PORT")
        return self


class DeliveryConfig(Settings):
    """Where results go once a named person has turned delivery on."""

    peers: tuple[Peer, ...] = Field((), description="see below")
    endpoints: tuple[Endpoint, ...] = Field((), description="see below")
    refusals: bool = Field(False, description="send 'not analysed, because ...', too")
    timeout_s: float = Field(30.0, ge=1, le=3600, description="a silent peer is left after")
    commitment_s: float = Field(
        3600.0, ge=1, le=604_800, description="how long a peer may take to commit"
    )

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [one.name for one in self.peers] + [one.name for one in self.endpoints]
        if len(set(names)) != len(names):
            raise ValueError("every peer and endpoint needs its own name")
        return self


class WatchConfig(Settings):
    """A drop folder, for images that come by no network of DICOM."""

    folder: Path | None = Field(None, description="files are taken from there; null: no folder")
    stable_s: float = Field(
        5.0, ge=0, le=3600, description="a file is whole when it has not changed for so long"
    )


class HospitalConfig(Settings):
    """One service."""

    node: NodeConfig = NodeConfig()
    storage: StorageConfig = StorageConfig()
    jobs: JobsConfig = JobsConfig()
    analysis: AnalysisConfig = AnalysisConfig()
    delivery: DeliveryConfig = DeliveryConfig()
    pull: PullConfig = PullConfig()
    watch: WatchConfig = WatchConfig()
    web: WebConfig = WebConfig()
    sign_in: SignInConfig = SignInConfig()
    collector: CollectorConfig = CollectorConfig()

    def peer(self, name: str) -> Peer:
        """Give a peer by its name.

        Raises
        ------
        ConfigError
            There is none of that name.
        """
        for peer in self.delivery.peers:
            if peer.name == name:
                return peer
        raise _unknown("peer", "delivery.peers", [one.name for one in self.delivery.peers])

    def destination(self, name: str) -> Peer | Endpoint:
        """Give a peer or an endpoint by its name; raises as `peer` does."""
        for one in self.delivery.endpoints:
            if one.name == name:
                return one
        return self.peer(name)

    def query(self, name: str) -> Query:
        """Give a query by its name; raises `ConfigError` where there is none of that name."""
        for query in self.pull.queries:
            if query.name == name:
                return query
        raise _unknown("query", "pull.queries", [one.name for one in self.pull.queries])

    @model_validator(mode="after")
    def _queries_ask_peers(self) -> Self:
        peers = {one.name for one in self.delivery.peers}
        if any(one.peer not in peers for one in self.pull.queries if one.peer is not None):
            raise ValueError("pull.queries asks a peer that delivery.peers does not name")
        return self

    @model_validator(mode="after")
    def _who_signs_in_comes_back_encrypted(self) -> Self:
        pages = self.web.address or f"http://{self.web.host}"
        if self.sign_in.issuer is not None and not is_private(pages):
            raise ValueError("sign_in needs web.address with https")
        return self

    @model_validator(mode="after")
    def _watched_folder_is_apart(self) -> Self:
        if self.watch.folder is not None:
            watched, root = self.watch.folder.absolute(), self.storage.root.absolute()
            if watched == root or watched in root.parents or root in watched.parents:
                raise ValueError("watch.folder and storage.root must not hold each other")
        return self


def _unknown(what: str, where: str, names: list[str]) -> ConfigError:
    return ConfigError(
        f"The settings know no {what} of that name",
        f"one of {where} ({', '.join(names) or 'none'})",
        f"Correct the name, or add the {what} to the settings",
    )


def read_settings(path: Path) -> HospitalConfig:
    """Read the settings file; raises as `hemocast.config.load_settings` does."""
    return load_settings(path, HospitalConfig, "hemocast serve init")


def settings_text() -> str:
    """Write all settings as YAML, each with its default, meaning and range, and examples."""
    return commented_settings(HospitalConfig, _HEAD) + _EXAMPLES
