"""The command line: `neuralgauge train`, `predict`, `certify` and `patterns`."""

from .application import app, main

__all__ = ["app", "main"]
