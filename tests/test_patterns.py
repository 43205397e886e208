from __future__ import annotations

import re

from nodecheck.patterns import all_later, later


def test_a_pattern_is_compiled_when_it_is_used() -> None:
    with all_later():
        made = re.compile("(")

    assert type(made) is not re.Pattern
    assert later("a(b+)", re.IGNORECASE).fullmatch("ABB")[1] == "BB"


def test_what_is_compiled_afterwards_is_compiled_at_once() -> None:
    with all_later():
        pass

    assert isinstance(re.compile("a"), re.Pattern)
