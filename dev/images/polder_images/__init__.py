"""Builds container images out of Debian packages and registries' files. See ../README.md."""
