"""What a person sees while images are built: steps with elapsed time, and failures that help."""

import subprocess
import sys
import threading
import time
from pathlib import Path

START = time.monotonic()
_lock = threading.Lock()


class Failure(Exception):
    """Something a person has to know or do; its text is all that is printed."""


def say(who: str, text: str) -> None:
    """One line on stderr, with the seconds since the start."""
    with _lock:
        print(f"[{time.monotonic() - START:6.1f}s] {who}: {text}", file=sys.stderr, flush=True)


def run(who: str, command: list, log: Path, **options) -> None:
    """Run a command with its output in `log`; on failure, show the end of it."""
    with open(log, "ab") as out:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                              stdout=out, stderr=subprocess.STDOUT, check=False, **options)
    if done.returncode:
        tail = log.read_text(errors="replace").splitlines()[-15:]
        raise Failure(f"{who}: `{command[0]}` failed with {done.returncode}; the end of its "
                      f"output, which is in {log}:\n  " + "\n  ".join(tail))
