"""How a mistake is shown."""

import pytest

from nodecheck.definitions.errors import DefinitionError, Mark, Mistakes, closest, did_you_mean


def shown(line: str, column: int) -> str:
    mistakes = Mistakes()
    mistakes.know_text("x.yaml", line)
    return str(mistakes.mistake(Mark("x.yaml", 1, column), "wrong"))


@pytest.mark.parametrize(
    ("line", "column", "excerpt"),
    [
        ("- name: x", 3, "     1 | - name: x\n       |   ^"),
        ("\t- x", 1, "     1 | →- x\n       | ^"),
        ("容器: x", 5, "     1 | 容器: x\n       |       ^"),
        ("ka\u0301t: x", 5, "     1 | ka\u0301t: x\n       |    ^"),
        ("a\x07b", 3, "     1 | a?b\n       |   ^"),
        ("a" * 60 + "b" * 60, 121, f"     1 | {'a' * 60}{'b' * 60}\n       | {' ' * 120}^"),
        ("a" * 200, 3, f"     1 | {'a' * 120}...\n       |   ^"),
        ("a" * 200 + "b", 201, f"     1 | ...{'a' * 60}b\n       | {' ' * 63}^"),
        ("容" * 200, 150, f"     1 | ...{'容' * 111}\n       | {' ' * 123}^"),
    ],
)
def test_the_caret_stands_below_the_place(line: str, column: int, excerpt: str) -> None:
    assert f"x.yaml:1:{column}: wrong\n{excerpt}" == shown(line, column)


def test_mistakes_are_sorted_by_place_and_those_of_one_place_stay_in_order() -> None:
    mistakes = Mistakes()
    for line, message in ((2, "b"), (1, "second"), (1, "first"), (2, "b")):
        mistakes.add(Mark("x.yaml", line, 1), message)

    with pytest.raises(DefinitionError) as raised:
        mistakes.raise_if_any()

    expected = ["second", "first", "b"]
    assert expected == [mistake.message for mistake in raised.value.mistakes]


def test_of_a_spoiled_value_nothing_more_is_said_and_still_it_counts() -> None:
    mistakes = Mistakes()
    place = Mark("x.yaml", 1, 1)
    mistakes.add_and_spoil(place, "no value")
    mistakes.add(place, "not a number")

    expected = 2
    assert expected == len(mistakes)
    with pytest.raises(DefinitionError, match=r"^x.yaml:1:1: no value$"):
        mistakes.raise_if_any()


@pytest.mark.parametrize(
    ("word", "known", "near"),
    [
        ("unti", ["unit", "port"], "unit"),
        ("TCP", ["tcp", "udp"], "tcp"),
        ("xyz", ["unit", "port"], ""),
        ("x" * 500_000, ["x" * 499_999, "y"], ""),
        ("", ["unit"], ""),
    ],
)
def test_the_nearest_known_word_is_found(word: str, known: list[str], near: str) -> None:
    assert near == closest(word, known)


@pytest.mark.parametrize(
    ("known", "hint"),
    [
        (["b", "a"], "known here: a, b"),
        ([], ""),
        (
            [f"n{number:02}" for number in range(25)],
            f"known here: {', '.join(f'n{n:02}' for n in range(20))} and 5 more",
        ),
    ],
)
def test_when_nothing_is_near_a_few_of_the_known_are_listed(known: list[str], hint: str) -> None:
    assert hint == did_you_mean("zzz", known)
