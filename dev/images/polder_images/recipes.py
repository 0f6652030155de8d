"""All images, by short name: a function of the command line's arguments each."""

from pathlib import Path

from .polder import Polder
from .postgres import Postgres
from .spark import Spark

#: the repository
ROOT = Path(__file__).resolve().parents[3]

ALL = {
    "spark": lambda _args: Spark(),
    "postgres": lambda _args: Postgres(),
    "polder": lambda args: Polder(ROOT, args.binary),
}
