"""The command line: `neuralgauge train`, `predict`, `certify`, `report`, `patterns` and `reproduce`."""

from .application import application, main

__all__ = ["application", "main"]
