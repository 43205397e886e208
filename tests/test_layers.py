"""The layers of the house are a test: pyproject.toml says which room may know which."""

from __future__ import annotations

import pathlib
import sys

import pytest
from importlinter import cli

CHECKOUT = pathlib.Path(__file__).parents[1]


def test_no_import_goes_against_the_layers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(CHECKOUT)
    monkeypatch.syspath_prepend(str(CHECKOUT))
    monkeypatch.setattr(sys, "argv", ["lint-imports"])
    code = cli.lint_imports(no_cache=True)
    assert (code, capsys.readouterr().out if code else "") == (cli.EXIT_STATUS_SUCCESS, "")
