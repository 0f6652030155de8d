"""The demo: a cluster, Polder through its chart, the quickstart example with real Spark.

- `main`: arguments and the order of the steps.
- `progress`: steps with their time, and what a failed one prints.
- `tools`: the programs that the steps call.
- `own`: what the example needs of a cluster of the user's own.
- `prepare`: what has to be built once: programs, the operator, images, the client.
- `install`: Polder and the example on a cluster.
- `show`: the results, queried through JDBC and through Spark Connect.
"""
