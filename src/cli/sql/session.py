"""A SQL session over Spark Connect: python session.py sc://HOST:PORT [QUERY]"""

import sys

from pyspark.sql import SparkSession


def message(error):
    """What is for people of an error."""
    return str(error).split("\n\nJVM stacktrace")[0]


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
    is_session = len(sys.argv) == 2 and sys.stdin.isatty()
    if is_session:
        print("Statements end with ; and the session with exit.")
    for query in [sys.argv[2].rstrip().rstrip(";")] if len(sys.argv) > 2 else statements():
        try:
            show(spark, query)
        except Exception as error:
            # People go on; a script ends at its first mistake.
            if not is_session:
                sys.exit(message(error))
            print(message(error), file=sys.stderr)


main()
