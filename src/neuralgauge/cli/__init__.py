"""The command line: `neuralgauge train`, `predict`, `certify`, `patterns` and `reproduce`."""

from .application import app, main

__all__ = ["app", "main"]
