"""200 readers answer at once in one reading room: how long it takes, and where the time goes.

    python benchmarks/reading_room_load.py [READERS [ANSWERS [BEFORE]]]

The room is a process of its own on the loopback, with SQLite on disk. 613 cases in two arms; every
reader has submitted BEFORE of them. Each has one connection and sends the next answer (a draft,
then the submission) as soon as the one before is acknowledged: nobody stops to think, which is more
than readers do. Wanted is p95 <= 1 s all the same. The parts are timed alone, afterwards, in the
same study.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import socket
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import uuid4

import numpy as np
from sqlalchemy import create_engine, insert
from timing import print_where

from hemocast.dataset import Dataset
from hemocast.readers.store.answers import Answer, Store
from hemocast.readers.store.engine import sqlite_url
from hemocast.readers.store.tables import ANSWERS
from hemocast.readers.study.design import StudyDesign, make_design
from hemocast.readers.study.folder import Study
from hemocast.readers.study.images import ImageFolder
from hemocast.serve.reading.address import listen, read_address
from hemocast.serve.reading.app import run_reading_room
from hemocast.serve.reading.room import Room

CASES = 613
LIMIT_S = 300


def design(readers: int) -> StudyDesign:
    """A study of two arms; answers need no pictures."""
    people = [f"sub-{i:04x}" for i in range(CASES)]
    scans = [f"{person}_ses-01" for person in people]
    aid = {"name": "m", "simulated_training_data": True, "heatmaps": False}
    return make_design(
        name="load",
        simulated=True,
        readers=[f"R{i}" for i in range(readers)],
        cases=[
            dict(zip(("participant_id", "scan_id"), one, strict=True))
            for one in zip(people, scans, strict=True)
        ],
        model=aid | {"probabilities": dict.fromkeys(scans, 0.5)},
        washout_days=0,
    )


def read_before(study: Study, folder: Path, count: int) -> None:
    """Put in what every reader has submitted before, all at once."""
    engine = create_engine(sqlite_url(folder / "answers.sqlite"))
    same = {"study": "load", "design_hash": "h", "final": 1, "read_at": "2026-01-01T00:00:00+00:00"}
    with engine.begin() as connection:
        for reader in study.design.readers:
            rows = [
                asdict(reading) | asdict(Answer(str(uuid4()), 0.5, 1, 3, seconds=60.0)) | same
                for reading in study.design.reading_list(reader)[:count]
            ]
            if rows:
                connection.execute(insert(ANSWERS), rows)
    engine.dispose()


def study_in(folder: Path, readers: int) -> Study:
    """Open the study."""
    store = Store(sqlite_url(folder / "answers.sqlite"), "load")
    return Study(design(readers), store, ImageFolder(Dataset(folder), folder), {})


def serve(folder: Path, readers: int, listening: socket.socket, stop: Connection) -> None:
    """Run the room until told, then say what CPU it took."""

    def end() -> None:
        stop.recv()
        used = os.times()
        stop.send(used.user + used.system)
        os._exit(0)

    threading.Thread(target=end, daemon=True).start()
    address = read_address(f"http://127.0.0.1:{listening.getsockname()[1]}")
    run_reading_room(study_in(folder, readers), address, listening)


def expect(held: bool, told: bytes) -> None:
    """Stop with what the room told."""
    if not held:
        raise SystemExit(told.decode())


class Reader:
    """A browser that only answers."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookie = ""
        self.seconds: list[float] = []

    async def connect(self) -> None:
        """Open the connection that stays."""
        self.input, self.output = await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(
        self, method: str, path: str, content: dict[str, object] | None = None
    ) -> tuple[int, bytes]:
        """Send a request and read the answer."""
        body = json.dumps(content).encode() if content is not None else b""
        self.output.write(
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nCookie: {self.cookie}\r\n"
            "X-Hemocast-Reading: 1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = (await self.input.readuntil(b"\r\n\r\n")).decode()
        lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        if "set-cookie" in lines:
            self.cookie = lines["set-cookie"].split(";")[0]
        told = await self.input.readexactly(int(lines.get("content-length", 0)))
        return int(head.split()[1]), told

    async def enter(self, token: str) -> None:
        """Use the personal link, and open the case as the page does."""
        await self.connect()
        status, told = await self.ask("POST", f"/r/{token}", {})
        expect(status in (200, 303), told)
        _, told = await self.ask("GET", "/api/state")
        await self.ask("GET", f"/api/case/{json.loads(told)['current']}")

    async def read(self, answers: int) -> None:
        """Draft and submit, case by case."""
        self.output.close()  # the room has ended it, if letting everybody in took longer
        await self.connect()
        for number in range(answers):
            if number % 2 == 0:
                _, told = await self.ask("GET", "/api/state")
                key = json.loads(told)["current"]
            answer = {"answer_id": str(uuid4()), "probability": 0.4, "decision": 0, "confidence": 2}
            answer |= {"seconds": 3.5, "final": number % 2 == 1}
            start = time.perf_counter()
            status, told = await self.ask("POST", f"/api/case/{key}/answer", answer)
            self.seconds.append(time.perf_counter() - start)
            expect(status == 200, told)


async def load(port: int, tokens: list[str], answers: int) -> tuple[np.ndarray, float]:
    """Let everybody in, one by one, then start all at once."""
    readers = [Reader(port) for _ in tokens]
    for reader, token in zip(readers, tokens, strict=True):
        await reader.enter(token)
    start = time.perf_counter()
    await asyncio.gather(*(reader.read(answers) for reader in readers))
    return np.array([s for reader in readers for s in reader.seconds]), time.perf_counter() - start


def parts(study: Study) -> dict[str, float]:
    """Milliseconds of the parts of one answer, alone, after the load."""
    room = Room(study)
    number = study.store.links()["R0"]
    reading = study.design.reading_list("R0")[0]
    work = {
        "who it is (link of the cookie)": lambda: study.store.current_link(number),
        "where the reader stands": lambda: room.state("R0"),
        "finding the case": lambda: room.case("R0", room.state("R0")["current"]),
        "durable write, nobody beside": lambda: study.store.add(reading, Answer(str(uuid4())), "h"),
    }
    found = {}
    for name, one in work.items():
        one()
        start = time.perf_counter()
        for _ in range(50):
            one()
        found[name] = (time.perf_counter() - start) * 20
    return found


def main(readers: int = 200, answers: int = 10, before: int = 300) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        study = study_in(folder, readers)
        read_before(study, folder, before)
        tokens = [study.store.new_token(reader) for reader in study.design.readers]
        listening = listen("127.0.0.1", free_port())
        ours, its = multiprocessing.Pipe()
        room = multiprocessing.get_context("fork").Process(
            target=serve, args=(folder, readers, listening, its), daemon=True
        )
        room.start()
        port = listening.getsockname()[1]
        seconds, wall = asyncio.run(asyncio.wait_for(load(port, tokens, answers), LIMIT_S))
        ours.send("stop")
        cpu = ours.recv()
        room.join(10)
        kept = len(study.store.answers()) - readers * before
        expect(kept == readers * answers, b"answers are missing")
        p50, p95 = np.quantile(seconds, [0.5, 0.95])
        print(f"{readers} readers, {kept} answers, all kept, in {wall:.1f} s: {kept / wall:.0f}/s")
        print(f"answer: p50 {p50:.2f} s, p95 {p95:.2f} s, longest {seconds.max():.2f} s")
        print(f"CPU of the room: {1000 * cpu / kept:.1f} ms an answer (with its share of the rest)")
        for what, ms in parts(study).items():
            print(f"  {what}: {ms:.2f} ms")
        study.close()
    print_where()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
