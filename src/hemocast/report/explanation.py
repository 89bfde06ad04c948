"""The page of ``hemocast explain``: one scan by several methods, and how far each is believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hemocast.report.case.page import CaseView, Setting
from hemocast.report.language import Language
from hemocast.report.page import render
from hemocast.report.pictures.sprites import make_picture
from hemocast.report.words import signed

if TYPE_CHECKING:
    from hemocast.model.prediction import Prediction

PAGE = "explanation.html"


@dataclass(frozen=True)
class Explained:
    """What one method says of one scan.

    Parameters
    ----------
    method : str
        Of `hemocast.explain.METHODS`.
    words : str
        What its map is.
    right, left : float or None
        Share of the evidence for HT in each hemisphere; None where sides are not known, or nothing
        speaks for HT.
    gain : float
        Mean logit as the hottest brain is put back, minus that as it is covered: above 0 where
        covering the hottest places lowers the answer.
    like_cam : float
        Rank correlation with the class activation map over the brain.
    """

    method: str
    words: str
    right: float | None
    left: float | None
    gain: float
    like_cam: float


def explained_in_words(one: Explained, language: Language) -> str:
    """Say on which side the evidence lies, and whether the answer falls as hot places are covered.

    Parameters
    ----------
    one : Explained
    language : Language
    """
    said = language.say("sides not known, or nothing speaks for HT")
    if one.right is not None and one.left is not None:
        right, left = language.percent(one.right), language.percent(one.left)
        said = language.say("evidence right %(right)s, left %(left)s", right=right, left=left)
    gain = signed(one.gain, 2)
    return f"{said}{language.semicolon}" + language.say(
        "insertion minus deletion %(gain)s in the logit", gain=gain
    )


@dataclass(frozen=True)
class MethodView:
    """One method as the page shows it: what was found, what is said of it, and its map."""

    one: Explained
    said: str
    view: CaseView

    @property
    def key(self) -> str:
        """Its name where no plus sign may stand."""
        return self.one.method.replace("+", "p")

    @property
    def agreement(self) -> str:
        """Rank correlation with the model's own map."""
        return signed(self.one.like_cam, 2)


def explanation_page(shown: Sequence[tuple[Explained, Prediction]], language: Language) -> str:
    """Return one self-contained page with the map of every method.

    Parameters
    ----------
    shown : sequence of (Explained, Prediction)
        What each method says, and the prediction with that method's map as its heatmap.
    language : Language
        Of the page.
    """
    setting = Setting(language=language)
    views = []
    for one, prediction in shown:
        picture = make_picture(prediction.stack, prediction.heatmap, prediction.heatmap_kind)
        view = CaseView(prediction, picture, setting)
        views.append(MethodView(one, explained_in_words(one, language), view))
    return render(
        PAGE,
        style="case.css",
        language=language,
        one=shown[0][1],
        p=views[0].view,
        methods=views,
    )
