"""The arguments of a check: what is read of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nodecheck.definitions.sources import read_definitions

if TYPE_CHECKING:
    import pathlib


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("main_process: 1.10", "1.10"),
        ("main_process: {not: 1.10}", "not 1.10"),
        ("main_process: {all: ['!= 1', {not: [1.10, 0755, 2.0]}]}", "!= 1 and not (1.10 or 0755 or 2.0)"),
        ("restarts: {not: 3}", "not 3"),
        ("restarts: {not: '{{ most }}'}", "not 7"),
        ("restarts: '{{ range }}'", "> 1 and < 9"),
        ("memory: {all: ['> 1MiB', '< {{ most }}GiB']}", "> 1MiB and < 7GiB"),
    ],
)
def test_an_expectation_is_read_as_its_author_wrote_it(argument: str, text: str, tmp_path: pathlib.Path) -> None:
    lines = "- hosts: all\n  vars: {most: 7, range: {all: ['> 1', '< 9']}}\n  checks:\n    - name: x\n"
    (tmp_path / "x.yaml").write_text(f"{lines}      unit: {{name: a.service, {argument}}}\n")

    (play,) = read_definitions([str(tmp_path / "x.yaml")], {}, {}).plays

    assert text == str(getattr(play.checks[0].check, argument.partition(":")[0]))
