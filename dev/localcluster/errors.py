"""What can go wrong, in words for the person who has to fix it."""

from pathlib import Path


class Failure(Exception):
    """A failure that is explained: what happened, and what to do about it.

    `log` names the log file whose last lines tell more.
    """

    def __init__(self, what: str, *, todo: str = "", log: Path | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.todo = todo
        self.log = log
