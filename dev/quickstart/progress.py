"""Steps with elapsed time, and failures that say what a person needs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Failed(Exception):
    """A step failed. The message is for the person at the terminal."""


class Progress:
    """Prints each step with the time it took, and a table at the end."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._steps: list[tuple[str, float]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One step; its name says what is done, for example "load the images"."""
        begin = time.monotonic()
        self.say(f"{name} ...")
        yield
        self.record(name, time.monotonic() - begin)

    def record(self, name: str, seconds: float) -> None:
        """A step that is over."""
        self._steps.append((name, seconds))
        self.say(f"{name}: {seconds:.1f} s")

    def say(self, text: str) -> None:
        """A line with the time since the start."""
        print(f"[{time.monotonic() - self._start:6.1f} s] {text}", file=sys.stderr, flush=True)

    def summary(self) -> str:
        """All steps with their times."""
        rows = [f"  {seconds:7.1f} s  {name}" for name, seconds in self._steps]
        rows.append(f"  {time.monotonic() - self._start:7.1f} s  in all")
        return "\n".join(rows)
