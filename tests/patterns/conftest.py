"""Exact integer arithmetic on arrangements, for the tests next to this file."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def exact():
    spec = importlib.util.spec_from_file_location("exact_arrangements", Path(__file__).with_name("exact.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
