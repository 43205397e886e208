"""Modules that are put off: not loaded while nothing is asked of them, and there for whoever does."""

from __future__ import annotations

import subprocess

import pytest
from commandline import CHECKOUT

from nodecheck.node.putoff import NAMES

PUT_OFF = (
    "import sys; sys.path.append('/usr/lib/python3/dist-packages'); from nodecheck.node import putoff; putoff.put_off()"
)


def python(program: str) -> str:
    """Run a program in a Python of its own, the system's, and return what it prints."""
    argv = ["/usr/bin/python3", "-SBc", f"{PUT_OFF}\n{program}"]
    return subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=True).stdout.strip()


def test_what_asks_systemd_is_loaded_without_them() -> None:
    told = f"print([name for name in {list(NAMES)} if type(sys.modules[name]).__name__ != '_StandIn'])"
    waits = "GLib.MainContext.default().iteration(False)"
    assert python(f"from gi.repository import GLib\nimport pydbus\n{waits}\n{told}") == "[]"


def test_who_waits_is_told_that_there_is_no_event_loop() -> None:
    """As PyGObject asks since 3.50, each time: gi/_ossighelper.py, get_event_loop()."""
    asks = "import asyncio\nprint(asyncio._get_running_loop(), asyncio.get_event_loop_policy())"
    assert python(f"{asks}\nprint(type(sys.modules['asyncio']).__name__)") == "None None\n_StandIn"


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import inspect\nprint(inspect.getdoc(len)[:6])", "Return"),
        ("import logging\nprint(logging.getLogger('a').name)", "a"),
        ("import traceback\nprint(traceback.format_exception_only(ValueError('no'))[0].strip())", "ValueError: no"),
        ("from xml.etree import ElementTree\nprint(ElementTree.fromstring('<a/>').tag)", "a"),
        ("import asyncio\nasync def f(): return 1\nprint(asyncio.run(f()))", "1"),
    ],
)
def test_whoever_asks_more_of_one_gets_the_module_itself(program: str, said: str) -> None:
    assert python(program) == said


def test_an_error_that_nobody_catches_is_still_told() -> None:
    program = "try:\n  1 / 0\nexcept ZeroDivisionError:\n  sys.excepthook(*sys.exc_info())\nprint('on')"
    assert python(f"sys.stderr = sys.stdout\n{program}").endswith("ZeroDivisionError: division by zero\non")
