"""One real node in Linux namespaces of its own."""
