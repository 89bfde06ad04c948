"""What one reader may see and say, as the page asks for it; no identities out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

import numpy as np
from fastapi import HTTPException

from hemocast.readers.store.answers import Answer
from hemocast.readers.store.progress import ReaderProgress, Standings
from hemocast.readers.study.design import PlannedReading
from hemocast.readers.study.folder import Study
from hemocast.readers.study.images import HEAT_STEP, Pixels
from hemocast.report.pictures.frames import TOP, colour_table, heat_shades
from hemocast.serve.reading.answers import AnswerIn

_SERIES_IN_MEMORY = 3
_TOLD = ("phase", "arm", "part", "parts", "done", "total")


class Room:
    """The study as readers see it.

    Parameters
    ----------
    study : Study
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._hash = study.design.hash()
        self._standings = Standings(study.design, study.store)
        self._addresses = cache(self._sign_all)
        self._series = lru_cache(_SERIES_IN_MEMORY)(self._read_series)
        colours, alpha = colour_table()
        self._heat_colours = [[*map(int, c), int(a)] for c, a in zip(colours, alpha, strict=True)]

    def state(self, reader_id: str) -> dict[str, Any]:
        """Where the reader stands."""
        design, now = self._study.design, self._progress(reader_id)
        submitted = [reading for reading in now.open if reading != now.current]
        return {
            "study": design.name,
            "reader": reader_id,
            "simulated": design.simulated,
            "horizon_days": design.horizon_days,
            **{name: getattr(now, name) for name in _TOLD},
            "current": self._key(now.current) if now.current else None,
            "last": self._key(submitted[-1]) if submitted else None,
            "opens_at": now.opens_at.isoformat() if now.opens_at else None,
        }

    def case(self, reader_id: str, key: str) -> dict[str, Any]:
        """One case: its neighbours, the reader's own last answer, and the model's if aided."""
        now, reading = self._open(reader_id, key)
        before, after = now.open[: now.open.index(reading)], now.open[now.open.index(reading) + 1 :]
        latest = self._study.store.latest(reading)
        answer = latest.answer if latest else Answer("")
        everything = self._standings.readings(reader_id)
        return {
            "number": reading.order,
            "total": sum(other.arm == reading.arm for other in everything),
            "arm": reading.arm,
            "submitted": reading != now.current,
            "previous": self._key(before[-1]) if before else None,
            "next": self._key(after[0]) if after else None,
            "answer": {
                "probability": answer.probability,
                "decision": answer.decision,
                "confidence": answer.confidence,
                "regions": json.loads(answer.regions),
            },
            "seconds": answer.seconds,
            "model": self._model(reading),
        }

    def frames(self, reader_id: str, key: str) -> Pixels:
        """The 28 frames."""
        _, reading = self._open(reader_id, key)
        return self._study.images.frames(reading.scan_id)

    def series(self, reader_id: str, key: str) -> Pixels:
        """The whole series; the last few are kept, for readers turn back."""
        _, reading = self._open(reader_id, key)
        return self._series(reading.scan_id)

    def heat(self, reader_id: str, key: str) -> tuple[bytes, float]:
        """The heatmap as shades 0 to 255, and the log-odds per cm3 that 255 stands for."""
        _, reading = self._open(reader_id, key)
        model = self._study.design.model
        if reading.arm != "aided" or model is None or not model.heatmaps:
            raise HTTPException(404, "Not Found")
        values = self._study.images.heat(reading.scan_id).astype(np.float32)
        values *= np.float32(HEAT_STEP)
        heat = heat_shades(values, values != 0)
        return heat.shade.tobytes(), TOP

    def keep(self, reader_id: str, key: str, given: AnswerIn) -> dict[str, Any]:
        """Keep an answer, and say when."""
        _, reading = self._open(reader_id, key)
        saved_at = self._study.store.add(reading, given.answer(), self._hash)
        return {"saved_at": saved_at.isoformat(timespec="seconds")}

    def _read_series(self, scan_id: str) -> Pixels:
        return self._study.images.series(self._study.scans[scan_id])

    def _progress(self, reader_id: str) -> ReaderProgress:
        if reader_id not in self._study.design.readers:
            raise HTTPException(401, "You are no reader of this study. Ask who leads it.")
        return self._standings.of(reader_id, datetime.now(UTC))

    def _open(self, reader_id: str, key: str) -> tuple[ReaderProgress, PlannedReading]:
        """Find an open reading; others do not exist for the page."""
        now = self._progress(reader_id)
        reading = self._addresses(reader_id).get(key)
        if reading is None or reading not in now.open:
            raise HTTPException(404, "Not Found")
        return now, reading

    def _sign_all(self, reader_id: str) -> dict[str, PlannedReading]:
        return {self._key(reading): reading for reading in self._standings.readings(reader_id)}

    def _key(self, reading: PlannedReading) -> str:
        return self._study.store.sign(f"case:{reading.reader_id}/{reading.arm}/{reading.order}")

    def _model(self, reading: PlannedReading) -> dict[str, Any] | None:
        model = self._study.design.model
        if reading.arm != "aided" or model is None:
            return None
        return {
            "probability": model.probabilities[reading.scan_id],
            "threshold": model.threshold,
            "simulated": model.simulated_training_data,
            "heat": model.heatmaps,
            "heat_colours": self._heat_colours if model.heatmaps else None,
        }
