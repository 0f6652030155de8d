"""A SQL session over Spark Connect: python session.py sc://HOST:PORT [QUERY]"""

import sys

from pyspark.sql import SparkSession


def show(spark, query):
    frame = spark.sql(query)
    if frame.columns:
        frame.show(1000, truncate=False)


def statements():
    """What is typed, up to each semicolon."""
    try:
        import readline  # noqa: F401  history and editing
    except ImportError:
        pass
    is_terminal = sys.stdin.isatty()
    said = []
    while True:
        try:
            line = input(("sql> " if not said else "   > ") if is_terminal else "")
        except EOFError:
            if "".join(said).strip():
                yield "\n".join(said)
            return
        except KeyboardInterrupt:
            print()
            said = []
            continue
        if not said and line.strip().lower() in ("exit", "quit", "exit;", "quit;"):
            return
        said.append(line)
        if line.rstrip().endswith(";"):
            query = "\n".join(said).rstrip().rstrip(";")
            said = []
            if query.strip():
                yield query


def main():
    spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
    if len(sys.argv) > 2:
        try:
            show(spark, sys.argv[2].rstrip().rstrip(";"))
        except Exception as error:
            sys.exit(str(error).split("\n\nJVM stacktrace")[0])
        return
    if sys.stdin.isatty():
        print("Statements end with ; and the session with exit.")
    for query in statements():
        try:
            show(spark, query)
        except Exception as error:
            print(str(error).split("\n\nJVM stacktrace")[0], file=sys.stderr)


main()
