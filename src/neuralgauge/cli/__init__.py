"""The command line: `neuralgauge train`, `predict`, `certify`, `patterns` and `reproduce`."""

from .application import application, main

__all__ = ["application", "main"]
