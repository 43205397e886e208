"""Whatever a file holds, reading it ends soon, with a value or with mistakes."""

import pathlib
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodecheck.definitions.errors import DefinitionError
from nodecheck.definitions.sources import read_definitions

CORPUS = sorted((pathlib.Path(__file__).parent / "broken").glob("*.yaml"))
SIGNS = st.sampled_from(
    [*"-:?,[]{}#&*!|>'\"%@` \n\t~", "- ", ": ", "{{ ", " }}", "{%", "<<", "---\n", "\n  ", "\n    "]
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
