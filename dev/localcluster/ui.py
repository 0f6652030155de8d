"""Progress for people, on stderr: stdout is kept for output that is read by programs."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import Failure

TAIL_LINES = 25


def say(text: str = "") -> None:
    """Prints one line."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Prints the title, and how long the block took when it ends."""
    print(f"  {title} ... ", end="", file=sys.stderr, flush=True)
    start = time.monotonic()
    try:
        yield
    except KeyboardInterrupt:
        say("interrupted")
        raise
    except BaseException:
        say(f"FAILED after {time.monotonic() - start:.1f} s")
        raise
    say(f"{time.monotonic() - start:.1f} s")


def explain(failure: Failure) -> None:
    """Prints a failure, the end of its log, and what to do."""
    say()
    say(f"error: {failure.what}")
    if failure.log is not None:
        say(f"last lines of {failure.log}:")
        for line in tail(failure.log):
            say(f"    {line}")
    if failure.todo:
        say(f"what to do: {failure.todo}")


def tail(path: Path, count: int = TAIL_LINES) -> list[str]:
    """The last lines of a file, cut to a readable width."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 64 * 1024))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return ["(there is no such file)"]
    if not lines:
        return ["(it is empty)"]
    return [line if len(line) <= 400 else line[:400] + " ..." for line in lines[-count:]]
