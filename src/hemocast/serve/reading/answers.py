"""What the reading room's pages may send, and nothing else."""

from __future__ import annotations

import json
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hemocast.readers.store.answers import Answer

_MOST_SECONDS = 7 * 86400.0
MOST_REGIONS = 200
"""Every stroke of the brush is one."""

_Pixel = Annotated[float, Field(ge=0, le=4096, allow_inf_nan=False)]
_Point = Annotated[list[_Pixel], Field(min_length=2, max_length=2)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Region(_Strict):
    """A marked region, in pixels of the picture that was marked (top left 0, 0).

    Parameters
    ----------
    view : str
        ``"frames"`` (the 28 frames) or ``"series"``.
    slice : int
        From 0, the lowest.
    shape : str
        ``"ellipse"`` and ``"box"``: two corners; ``"brush"``: the middle of the stroke.
    points : list of (x, y)
    radius : float
        Of the brush; 0 for the others.
    """

    view: Literal["frames", "series"]
    slice: int = Field(ge=0, le=4096)
    shape: Literal["ellipse", "box", "brush"]
    points: list[_Point] = Field(min_length=1, max_length=2000)
    radius: float = Field(0, ge=0, le=200, allow_inf_nan=False)

    @model_validator(mode="after")
    def _is_drawn(self) -> Region:
        if self.shape != "brush" and len(self.points) != 2:
            raise ValueError("an ellipse or a box has two corners")
        return self


class EnterIn(_Strict):
    """A personal link is used now; `stay`: in a browser that nobody else uses."""

    stay: bool = False


class AnswerIn(_Strict):
    """One answer: a draft as long as anything may be missing, then the whole, submitted."""

    answer_id: str = Field(min_length=36, max_length=36)
    probability: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)
    decision: int | None = Field(None, ge=0, le=1)
    confidence: int | None = Field(None, ge=1, le=5)
    regions: list[Region] = Field(default_factory=list, max_length=MOST_REGIONS)
    seconds: float = Field(ge=0, le=_MOST_SECONDS, allow_inf_nan=False)
    final: bool

    @model_validator(mode="after")
    def _is_whole_when_final(self) -> AnswerIn:
        UUID(self.answer_id)
        if self.final and None in (self.probability, self.decision, self.confidence):
            raise ValueError("a submitted answer needs probability, decision and confidence")
        return self

    def answer(self) -> Answer:
        """As the store keeps it."""
        regions = [region.model_dump(mode="json") for region in self.regions]
        text = json.dumps(regions, separators=(",", ":"))
        given = self.model_dump(exclude={"regions"}) | {"answer_id": str(UUID(self.answer_id))}
        return Answer(regions=text, **given)
