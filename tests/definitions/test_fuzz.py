"""Whatever a file holds, reading it ends soon, with a value or with mistakes."""

import pathlib
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodecheck.definitions.errors import DefinitionError
from nodecheck.definitions.expectation import EXPECTATIONS, Expectation, Quantity
from nodecheck.definitions.sources import read_definitions

CORPUS = sorted((pathlib.Path(__file__).parent / "broken").glob("*.yaml"))
SIGNS = st.sampled_from(
    [
        *"-:?,[]{}#&*!|>'\"%@` \n\t~",
        "- ",
        ": ",
        "{{ ",
        " }}",
        "{%",
        "<<",
        "---\n",
        "\n  ",
        "\n    ",
        "{all: [",
        "{not: ",
    ]
)
WORDS = st.sampled_from(
    "name hosts all checks tags vars needs timeout severity unit process port system".split()
    + "true no 0755 1..3 5s < 90% /a/ 22".split()
)
bounded = settings(
    max_examples=200,
    deadline=1000,  # milliseconds for each
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def read(path: pathlib.Path, content: bytes) -> None:
    """Read a file as `lint` does; any exception but DefinitionError is a failure, and so is a message without words."""
    path.write_bytes(content)
    mistakes = []
    try:
        read_definitions([str(path)], {"x": 1, "facts": {"y": "{{ x }}"}}, {})
    except DefinitionError as error:
        mistakes = [mistake.message for mistake in error.mistakes] or [""]
    assert all(mistakes)


@given(content=st.binary(max_size=300))
@bounded
def test_any_bytes(content: bytes, tmp_path: pathlib.Path) -> None:
    read(tmp_path / "x.yaml", content)


@given(text=st.text(max_size=300))
@bounded
def test_any_text(text: str, tmp_path: pathlib.Path) -> None:
    read(tmp_path / "x.yaml", text.encode("utf-8", "surrogatepass"))


@given(parts=st.lists(SIGNS | WORDS | st.text(max_size=3), max_size=60))
@bounded
def test_anything_that_looks_like_yaml(parts: list[str], tmp_path: pathlib.Path) -> None:
    read(tmp_path / "x.yaml", "".join(parts).encode("utf-8", "surrogatepass"))


def _around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, max_size=3)
    keys = st.sampled_from(["all", "not", "any", "lt"])
    return several | st.dictionaries(keys, inner, max_size=2) | st.builds(lambda items: {"all": items}, several)


OPERATORS = st.sampled_from(["", "<", "<= ", "> ", ">=", "== ", "!= ", "!"])
OPERANDS = st.sampled_from(
    "3 1..3 0.5 90% 2GiB 1kB..1MB 30s 1h30m 5min a /a/ /A/i /.*/ // / D .. 1.. * kube-* -1 \u0663".split()
) | st.text(max_size=3)
AFTER = st.sampled_from(["", "", " for 1m", " for", " or b"])
SOURCES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.builds("{}{}{}".format, OPERATORS, OPERANDS, AFTER),
    _around,
    max_leaves=8,
)
OBSERVED = st.integers(0, 1 << 64) | st.floats(1e-9, 1e15)


@given(kind=st.sampled_from(EXPECTATIONS), source=SOURCES, number=OBSERVED, text=st.text(max_size=3))
@bounded
def test_anything_that_looks_like_an_expectation(
    kind: type[Expectation], source: Any, number: float, text: str
) -> None:
    """It is refused in words, or it judges, shows, and knows of itself; each observation proves what it can do."""
    expectation = read_expectation(kind, source)
    if expectation is None:
        return
    observed: Any = number if isinstance(expectation, Quantity) else text
    verdict = expectation.matches(observed)
    assert all((str(expectation), repr(expectation), *expectation.suspicions()))
    assert verdict is kind(source).matches(observed)
    assert expectation.can_hold() if verdict else expectation.can_fail()
    if isinstance(expectation, Quantity):
        assert verdict is expectation.matches(read_back(expectation, expectation.show(observed)))


def read_expectation(kind: type[Expectation], source: Any) -> Expectation | None:
    """Return None for what is refused in words; any other exception is a failure."""
    try:
        return kind(source)
    except ValueError as error:
        if not str(error):
            raise
        return None


def read_back(expectation: Quantity, shown: Any) -> float:
    return expectation.convert(shown) if isinstance(shown, str) else float(shown) if shown % 1 else int(shown)


@given(
    source=st.sampled_from(CORPUS),
    at=st.floats(0, 1),
    length=st.integers(0, 20),
    instead=st.lists(SIGNS | WORDS, max_size=4).map("".join),
)
@bounded
def test_any_slip_in_a_file_that_is_wrong_already(
    source: pathlib.Path, at: float, length: int, instead: str, tmp_path: pathlib.Path
) -> None:
    content = source.read_bytes()
    start = int(at * len(content))
    read(tmp_path / "x.yaml", content[:start] + instead.encode() + content[start + length :])


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "{",
        "- ",
        "? ",
        "&a ",
        "*a ",
        "!a ",
        "a:\n",
        "- a\n",
        "'",
        '"',
        "{{",
        "- name: x\n",
        "\t",
        "%",
        "|",
        ">\n",
        "# ",
    ],
)
def test_one_thing_again_and_again(text: str, tmp_path: pathlib.Path) -> None:
    content = (text * (1 << 19))[: 1 << 19].encode()

    started = time.process_time()
    read(tmp_path / "x.yaml", content)

    assert time.process_time() - started < 1
