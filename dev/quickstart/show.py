"""The results of the example, queried as a BI tool and as a PySpark user would."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .progress import Failed, Progress
from .tools import Cluster, run

QUERY = (
    "SELECT weather, count(*) AS days, round(sum(precipitation), 1) AS millimetres "
    "FROM lake.weather.daily GROUP BY weather ORDER BY weather"
)
MONTHS = (
    "SELECT month, days, precipitation FROM lake.weather.monthly "
    "ORDER BY precipitation DESC LIMIT 3"
)
CLIENT = """
import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
for query in sys.argv[2:]:
    spark.sql(query).show()
"""


def show(progress: Progress, cluster: Cluster, client: Path) -> None:
    """Queries through JDBC and Spark Connect, and lists what there is."""
    with progress.step("query the table through JDBC (beeline)"):
        through_jdbc = beeline(cluster, QUERY)
    with progress.step("query the tables through Spark Connect (PySpark client)"):
        through_connect = connect(cluster, client, QUERY, MONTHS)
    print(f"\n$ kubectl get polder -A\n{cluster.kubectl('get', 'polder', '-A')}")
    print(f"$ beeline -u jdbc:hive2://bi-sql.weather.svc:10000 -e '{QUERY}'\n{through_jdbc}")
    print(f"pyspark> SparkSession.builder.remote('sc://...:15002')\n{through_connect}")


def beeline(cluster: Cluster, query: str) -> str:
    """A query through the Thrift protocol, from inside the domain."""
    printed = cluster.kubectl(
        "exec", "-n", "weather", "bi-sql-0", "--", "env", "SPARK_BEELINE_OPTS=-Duser.home=/tmp",
        "/opt/spark/bin/beeline", "-u", "jdbc:hive2://bi-sql.weather.svc:10000", "--silent=true",
        "-e", query, timeout=180,
    )  # fmt: skip
    # Without a terminal, beeline puts its prompt before the first row.
    return re.sub(r"^\S+ jdbc:hive2://\S+> ", "", printed, flags=re.MULTILINE)


def connect(cluster: Cluster, client: Path, *queries: str) -> str:
    """Queries through Spark Connect, from this machine."""
    with forwarded(cluster, 15002) as port:
        return run(client, "-W", "ignore", "-c", CLIENT, f"sc://127.0.0.1:{port}", *queries,
                   timeout=180)  # fmt: skip


@contextmanager
def forwarded(cluster: Cluster, port: int) -> Iterator[int]:
    """A port of the endpoint on this machine, for as long as it is needed."""
    process = subprocess.Popen(
        ["kubectl", "port-forward", "-n", "weather", "svc/bi-sql", f":{port}"],
        env=cluster.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        line = process.stdout.readline() if process.stdout else ""
        found = re.search(r"127\.0\.0\.1:(\d+)", line)
        if not found:
            raise Failed(f"kubectl port-forward failed: {line}")
        yield int(found.group(1))
    finally:
        process.terminate()
        process.wait()


def diagnosis(cluster: Cluster) -> str:
    """What a person needs when a step failed."""
    commands = [
        ["get", "polder", "-A", "-o", "wide"],
        ["get", "pods", "-A", "-o", "wide"],
        ["get", "events", "-A", "--field-selector", "type=Warning", "--sort-by=.lastTimestamp"],
        ["logs", "-n", "polder-system", "-l", "app.kubernetes.io/name=polder", "--tail=40",
         "--prefix"],
    ]  # fmt: skip
    parts = []
    for command in commands:
        try:
            text = "\n".join(cluster.kubectl(*command, timeout=30).splitlines()[-60:])
        except Failed as error:
            text = str(error)
        parts.append(f"$ kubectl {' '.join(command)}\n{text}")
    return "\n\n".join(parts)
