"""What one reader may see and say, as the page asks for it; no identities out."""

from __future__ import annotations

import json
from collections import OrderedDict
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import numpy as np
from fastapi import HTTPException

from hemocast.readers.store.progress import ReaderProgress, progress_of
from hemocast.readers.study.design import PlannedReading
from hemocast.readers.study.folder import Study
from hemocast.readers.study.images import HEAT_STEP, Pixels
from hemocast.report.pictures.frames import colour_table, heat_levels
from hemocast.serve.reading.answers import AnswerIn

_SERIES_IN_MEMORY = 3


class Room:
    """The study as readers see it.

    Parameters
    ----------
    study : Study
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._hash = study.design.hash()
        self._series: OrderedDict[str, Pixels] = OrderedDict()
        self._lock = Lock()
        colours, alpha = colour_table()
        self._heat_colours = [[*map(int, c), int(a)] for c, a in zip(colours, alpha, strict=True)]

    def state(self, reader_id: str) -> dict[str, Any]:
        """Where the reader stands."""
        design, now = self._study.design, self._progress(reader_id)
        submitted = [shown for shown in now.open if shown != now.current]
        return {
            "study": design.name,
            "reader": reader_id,
            "simulated": design.simulated,
            "horizon_days": design.horizon_days,
            "phase": now.phase,
            "arm": now.arm,
            "part": now.part,
            "parts": now.parts,
            "done": now.done,
            "total": now.total,
            "current": self._key(now.current) if now.current else None,
            "last": self._key(submitted[-1]) if submitted else None,
            "opens_at": now.opens_at.isoformat() if now.opens_at else None,
        }

    def case(self, reader_id: str, key: str) -> dict[str, Any]:
        """One case: its neighbours, the reader's own last answer, and the model's if aided."""
        now = self._progress(reader_id)
        shown = self._shown(now, key)
        place = now.open.index(shown)
        latest = self._study.store.latest(shown)
        answer = latest.answer if latest else None
        return {
            "number": shown.order,
            "total": sum(p.arm == shown.arm for p in self._all(reader_id)),
            "arm": shown.arm,
            "submitted": shown != now.current,
            "previous": self._key(now.open[place - 1]) if place else None,
            "next": self._key(now.open[place + 1]) if place + 1 < len(now.open) else None,
            "answer": {
                "probability": answer.probability if answer else None,
                "decision": answer.decision if answer else None,
                "confidence": answer.confidence if answer else None,
                "regions": json.loads(answer.regions) if answer else [],
            },
            "seconds": answer.seconds if answer else 0.0,
            "model": self._model(shown),
        }

    def frames(self, reader_id: str, key: str) -> Pixels:
        """The 28 frames."""
        shown = self._shown(self._progress(reader_id), key)
        return self._study.images.frames(shown.scan_id)

    def series(self, reader_id: str, key: str) -> Pixels:
        """The whole series; the last few are kept, for readers turn back."""
        scan_id = self._shown(self._progress(reader_id), key).scan_id
        with self._lock:
            held = self._series.get(scan_id)
        if held is None:
            held = self._study.images.series(self._study.scans[scan_id])
        with self._lock:
            self._series[scan_id] = held
            self._series.move_to_end(scan_id)
            while len(self._series) > _SERIES_IN_MEMORY:
                self._series.popitem(last=False)
        return held

    def heat(self, reader_id: str, key: str) -> tuple[bytes, float]:
        """The heatmap as shades 0 to 255, and the logit units that 255 stands for."""
        shown = self._shown(self._progress(reader_id), key)
        model = self._study.design.model
        if shown.arm != "aided" or model is None or not model.heatmaps:
            raise HTTPException(404, "Not Found")
        values = self._study.images.heat(shown.scan_id).astype(np.float32)
        values *= np.float32(HEAT_STEP)
        heat = heat_levels(values, values != 0)
        return heat.level.tobytes(), heat.top

    def keep(self, reader_id: str, key: str, given: AnswerIn) -> dict[str, Any]:
        """Keep an answer, and say when."""
        shown = self._shown(self._progress(reader_id), key)
        kept = self._study.store.add(shown, given.answer(), self._hash)
        return {"saved_at": kept.isoformat(timespec="seconds")}

    def _progress(self, reader_id: str) -> ReaderProgress:
        study = self._study
        if reader_id not in study.design.readers:
            raise HTTPException(401, "Open your personal link again.")
        return progress_of(study.design, study.store, reader_id, datetime.now(UTC))

    def _all(self, reader_id: str) -> tuple[PlannedReading, ...]:
        return self._study.design.reading_list(reader_id)

    def _shown(self, now: ReaderProgress, key: str) -> PlannedReading:
        """Find an open reading; others do not exist for the page."""
        for shown in now.open:
            if self._key(shown) == key:
                return shown
        raise HTTPException(404, "Not Found")

    def _key(self, shown: PlannedReading) -> str:
        return self._study.store.sign(f"case:{shown.reader_id}/{shown.arm}/{shown.order}")

    def _model(self, shown: PlannedReading) -> dict[str, Any] | None:
        model = self._study.design.model
        if shown.arm != "aided" or model is None:
            return None
        return {
            "probability": model.probabilities[shown.scan_id],
            "threshold": model.threshold,
            "simulated": model.simulated_training_data,
            "heat": model.heatmaps,
            "heat_colours": self._heat_colours if model.heatmaps else None,
        }
