"""Puts this folder on the import path, so that every test can say `from fakes import ...`."""

from __future__ import annotations

import pathlib  # pytest reads the annotations of fixtures

import pytest
from commandline import Cli


@pytest.fixture
def cli(tmp_path: pathlib.Path) -> Cli:
    """Return nodecheck's command line, called in an empty folder."""
    return Cli(tmp_path)
