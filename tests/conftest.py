"""Puts this folder on the import path, so that every test can say `from fakes import ...`."""

from __future__ import annotations

import os
import pathlib  # pytest reads the annotations of fixtures
import signal
from collections.abc import Iterator

import pytest
from commandline import Cli

# A shell starts what it puts in the background with SIGINT ignored, and what a test starts and interrupts inherits it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def cli(tmp_path: pathlib.Path) -> Cli:
    """Return nodecheck's command line, called in an empty folder."""
    return Cli(tmp_path)


@pytest.fixture(autouse=True)
def own_umask() -> Iterator[None]:
    """What a helper sets for itself is not left behind by a test that calls the same in this process."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)
