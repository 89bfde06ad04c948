"""What is asked for, where, and how often."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from hemocast.config import Settings


class Query(Settings):
    """Which CT studies are fetched from where. All that is given must fit.

    Words are sought in the texts of the answer, whatever their case; a text that is not there
    fits, for the rules of the analysis read the images themselves.
    """

    name: str = Field(pattern=r"^[\w-]{1,40}$")
    peer: str | None = Field(None, description="one of delivery.peers")
    by: Literal["move", "get"] = Field("move", description="how a peer gives images")
    web: str | None = Field(
        None, pattern=r"^https?://", description="in place of a peer: address of its DICOMweb"
    )
    hours: float | None = Field(
        1.0, gt=0, le=87_600, description="studies begun in so many last hours; null: at any time"
    )
    body_part: tuple[str, ...] = Field((), description="in a series' BodyPartExamined")
    description: tuple[str, ...] = Field((), description="in the study's or series' description")
    patients_days: float | None = Field(
        None, gt=0, description="of patients of whom studies came here in so many days"
    )
    every_s: float | None = Field(
        None, ge=5, le=604_800, description="how often the service asks; null: it does not"
    )

    @model_validator(mode="after")
    def _asks_somebody(self) -> Self:
        if (self.peer is None) == (self.web is None):
            raise ValueError("a query asks a peer, or an address of DICOMweb")
        return self


class PullConfig(Settings):
    """What the service fetches by itself."""

    queries: tuple[Query, ...] = Field((), description="see below")

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        if len({query.name for query in self.queries}) != len(self.queries):
            raise ValueError("every query needs its own name")
        return self
