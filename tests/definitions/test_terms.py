"""Lists, {all: [...]} and {not: ...}: how expectations are put together, read, and known to be idle."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.definitions.expectation import Duration, Expectation, HeldText, Number, Percent, Size, Text

UNIT = ("active", "running")


@pytest.mark.parametrize(
    ("kind", "wanted", "observed", "verdict"),
    [
        (Number, {"all": ["> 1", "< 5"]}, 3, True),
        (Number, {"all": ["> 1", "< 5"]}, 1, False),
        (Number, {"all": ["> 1", "< 5"]}, 5, False),
        (Number, {"all": [3]}, 3, True),
        (Number, {"all": [[1, 3], "> 2"]}, 3, True),
        (Number, {"all": [[1, 3], "> 2"]}, 1, False),
        (Number, {"all": [[1, 3], "> 2"]}, 4, False),
        (Number, {"not": 3}, 2, True),
        (Number, {"not": 3}, 3, False),
        (Number, {"not": [1, 3]}, 2, True),
        (Number, {"not": [1, 3]}, 3, False),
        (Number, {"not": "1..3"}, 4, True),
        (Number, {"not": "1..3"}, 2, False),
        (Number, {"not": {"not": 3}}, 3, True),
        (Number, {"not": {"all": ["> 1", "< 5"]}}, 3, False),
        (Number, {"not": {"all": ["> 1", "< 5"]}}, 5, True),
        (Number, [0, {"all": ["> 10", "< 20"]}], 0, True),
        (Number, [0, {"all": ["> 10", "< 20"]}], 15, True),
        (Number, [0, {"all": ["> 10", "< 20"]}], 10, False),
        (Number, {"all": [{"not": {"all": [{"not": 3}]}}]}, 3, True),
        (Percent, {"all": ["> 10%", {"not": "40%..60%"}]}, 50.0, False),
        (Percent, {"all": ["> 10%", {"not": "40%..60%"}]}, 70.0, True),
        (Size, {"not": ["< 1MiB", "> 1GiB"]}, 1 << 25, True),
        (Size, {"not": ["< 1MiB", "> 1GiB"]}, 1 << 31, False),
        (Duration, {"all": ["> 1m", "!= 1h"]}, 3600.0, False),
        (Duration, {"all": ["> 1m", "!= 1h"]}, 3601.0, True),
        (Text, {"not": "failed"}, "running", True),
        (Text, {"not": "failed"}, "failed", False),
        (Text, {"not": ["failed", "/^stop/"]}, "stopping", False),
        (Text, {"not": ["failed", "/^stop/"]}, "running", True),
        (Text, {"all": ["/^kube/", {"not": "/proxy$/"}]}, "kubelet", True),
        (Text, {"all": ["/^kube/", {"not": "/proxy$/"}]}, "kube-proxy", False),
        (Text, {"all": ["/^kube/", "!= kubectl"]}, "kubectl", False),
        (Text, {"all": ["active", "running"]}, UNIT, True),
        (Text, {"all": ["active", "exited"]}, UNIT, False),
        (Text, {"not": ["failed", "running"]}, UNIT, False),
        (Text, {"not": ["failed", "exited"]}, UNIT, True),
        (Text, {"not": {"all": ["active", "exited"]}}, UNIT, True),
    ],
)
def test_terms_are_put_together(kind: type[Expectation], wanted: Any, observed: Any, verdict: bool) -> None:
    assert verdict is kind(wanted).matches(observed)


@pytest.mark.parametrize(
    ("kind", "wanted", "said"),
    [
        (Number, {}, "has one key, all or not$"),
        (Number, {"all": [1], "not": 2}, r"for both write \{all: \[..., \{not: ...\}\]\}"),
        (Number, {"some": [1]}, "not 'some'$"),
        (Number, {"gt": 5}, "not 'gt'; write \"> ...\"$"),
        (Text, {"have_prefix": "x"}, "write /\\^.../$"),
        (Number, {1: 2}, "not 1$"),
        (Number, {"all": []}, "an empty list expects nothing"),
        (Number, {"not": []}, "an empty list expects nothing"),
        (Number, {"all": 5}, "all takes a list, not 5"),
        (Number, {"all": None}, "all takes a list, not nothing"),
        (Number, {"all": {"not": 3}}, "all takes a list, not a mapping"),
        (Number, {"not": None}, "nothing stands there"),
        (Text, {"not": ""}, "nothing stands there"),
        (Text, {"not": [None]}, "expected a text.* not nothing"),
        (Text, {"not": True}, "expected a text.* not true"),
        (Number, {"not": {"not": {"not": {"not": {"not": 3}}}}}, "nested deeper than 4 levels"),
        (Number, {"not": [[1]]}, "not a list"),
        (Number, {"all": ["> 5", "< 3"]}, "this can never hold: nothing is > 5 and < 3"),
        (Number, {"all": [1, 2]}, "never hold"),
        (Number, {"all": ["> 5", {"not": "> 3"}]}, "nothing is > 5 and not > 3"),
        (Number, {"all": ["1..2", "> 2"]}, "never hold"),
        (Number, {"not": ["< 5", ">= 5"]}, "never hold"),
        (Number, {"not": ">= 0"}, "never hold"),
        (Number, [7, {"all": ["> 5", "< 3"]}], "never hold"),
        (Percent, {"all": ["< 90%", "> 95%"]}, "never hold"),
        (Size, {"all": ["> 2GiB", "<= 2048MiB"]}, "never hold"),
        (Duration, {"all": ["< 60s", ">= 1m"]}, "never hold"),
        (Text, {"all": ["a", "!= a"]}, "never hold"),
        (Text, {"all": ["/a/", {"not": "/a/"}]}, "never hold"),
        (Text, {"all": ["abc", "!= /b/"]}, "never hold"),
        (Text, {"not": "/.*/"}, "nothing is not /.*/"),
        (Text, {"not": ["a", {"not": "a"}]}, "never hold"),
        (HeldText, {"all": ["!= D for 1m", {"not": "D for 1m"}, "D", {"not": "S"}, "!= D"]}, "never hold"),
        (HeldText, {"not": "!= D for 1m"}, 'within not, write "D for 1m" without "!="'),
        (HeldText, {"not": {"not": "D for 1m"}}, '"for" goes with "!="'),
        (HeldText, {"all": ["D for 1m"]}, '"for" goes with "!="'),
        (Percent, {"not": "> 2GiB"}, "this is a percentage"),
        (Size, {"all": ["> 2GiB", "< 90%"]}, "this is a size: '90%' has the unit %"),
    ],
)
def test_what_does_not_go_together_is_refused(kind: type[Expectation], wanted: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        kind(wanted)


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"all": ["> 1", "< 5"]}, "> 1 and < 5"),
        ({"all": ["> 1"]}, "> 1"),
        ({"not": 1}, "not 1"),
        ({"not": [1, 2]}, "not (1 or 2)"),
        ({"not": [1]}, "not 1"),
        ({"not": {"all": ["> 1", "< 5"]}}, "not (> 1 and < 5)"),
        ({"not": {"not": 1}}, "not not 1"),
        ({"all": [[1, 2], "> 1"]}, "(1 or 2) and > 1"),
        ({"all": [[2], "> 1"]}, "2 and > 1"),
        ([0, {"all": ["> 1", "< 5"]}], "0 or (> 1 and < 5)"),
        ([0, {"not": [1, 5]}], "0 or not (1 or 5)"),
        ([{"all": ["> 1", "< 5"]}], "> 1 and < 5"),
        ({"all": [{"all": ["> 1", "< 5"]}]}, "> 1 and < 5"),
    ],
)
def test_it_is_shown_as_a_person_reads_it(wanted: Any, text: str) -> None:
    assert text == str(Number(wanted))


@pytest.mark.parametrize(
    ("kind", "wanted", "holds", "fails"),
    [
        (Number, 3, True, True),
        (Number, 0, True, True),
        (Number, "> 0", True, True),
        (Number, ">= 0", True, False),
        (Number, "> -1", True, False),
        (Number, "!= -1", True, False),
        (Number, "< 0", False, True),
        (Number, "-5..-1", False, True),
        (Number, ["< 5", ">= 5"], True, False),
        (Number, ["< 5", "> 5"], True, True),
        (Number, ["0..5", "> 5"], True, False),
        (Number, ["0..5", "> 5.1"], True, True),
        (Number, {"not": {"all": ["> 5", "< 9"]}}, True, True),
        (Number, [{"not": {"all": ["> 5", "< 9"]}}, "6..8"], True, True),
        (Number, [{"not": {"all": ["> 5", "< 9"]}}, "5..9"], True, False),
        (Number, {"not": "< 0"}, True, False),
        (Number, "<= 18446744073709551615", True, True),
        (Percent, "<= 100%", True, True),
        (Percent, ">= 0%", True, False),
        (Percent, "0%..1000000%", True, True),
        (Size, ">= 0B", True, False),
        (Size, ["< 1GiB", ">= 1024MiB"], True, False),
        (Size, ["< 1GB", ">= 1GiB"], True, True),
        (Duration, ">= 0s", True, False),
        (Duration, "!= 1m", True, True),
        (Text, "running", True, True),
        (Text, "!= running", True, True),
        (Text, "/.*/", True, False),
        (Text, "/^/", True, False),
        (Text, "/$/i", True, False),
        (Text, "/x*/", True, False),
        (Text, "/(a|b)?/", True, False),
        (Text, "/^$/", True, True),
        (Text, "/^.{0,60}$/", True, True),
        (Text, "/./", True, True),
        (Text, "/[a-z]/i", True, True),
        (Text, "!= /.*/", False, True),
        (Text, ["running", "/.*/"], True, False),
        (Text, ["a", {"not": "a"}], True, False),
        (Text, ["a", {"not": "b"}], True, True),
        (Text, ["/b/", {"not": "abc"}], True, False),
        (Text, {"not": ["a", "b"]}, True, True),
        (Text, {"not": {"all": ["a", "b"]}}, True, True),
        (Text, {"all": ["/a/", "/b/"]}, True, True),
        (Text, {"all": ["a", "b"]}, True, True),  # a unit shows several words at once
        (Text, [str(number) for number in range(50)], True, True),
        (Text, [*(str(number) for number in range(50)), "/.*/"], True, True),  # too many to look at all of them
        (HeldText, "!= D for 1m", True, True),
        (HeldText, "!= /.*/ for 1m", True, True),
        (HeldText, "!= D for 0s", True, True),
        (HeldText, {"not": ["D for 1m", "Z"]}, True, True),
        (HeldText, [{"not": "D for 1m"}, "D"], True, False),
        (HeldText, [{"not": "D for 1m"}, {"all": ["D", {"not": "D for 2m"}]}], True, True),
    ],
)
def test_an_expectation_knows_whether_it_can_hold_and_whether_it_can_fail(
    kind: type[Expectation], wanted: Any, holds: bool, fails: bool
) -> None:
    assert (holds, fails) == (kind(wanted).can_hold(), kind(wanted).can_fail())


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (Number, {"all": [f"!= {number}" for number in range(900)]}),
        (Number, {"not": [*range(900), ">= 900"]}),
        (Text, {"all": ["a", "!= a", *(f"word{number}" for number in range(9))] * 90}),
        (HeldText, {"not": [f"D for {number}s" for number in range(900)]}),
        (HeldText, {"all": [f"!= {word} for {word}s" for word in range(10, 20)] + ["x", "!= x"] * 400}),
    ],
)
def test_ever_so_many_terms_are_read_soon(kind: type[Expectation], wanted: Any) -> None:
    """What can never hold may go unseen then, and nothing is claimed."""
    started = time.process_time()
    expectation = kind(wanted)
    assert expectation.can_hold()
    assert expectation.can_fail()
    assert time.process_time() - started < 1


@pytest.mark.parametrize("kind", [Number, Text])
def test_more_terms_than_anybody_writes_are_refused(kind: type[Expectation]) -> None:
    with pytest.raises(ValueError, match="there are more than 1000 values in one expectation"):
        kind({"not": [*range(1, 1002)]})


def composed(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Any expectation that can be put together of these; a list of one is left out, since lists go into lists."""

    def around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        several = st.lists(inner.filter(lambda item: not isinstance(item, list)), min_size=1, max_size=4)
        return several | st.builds(lambda items: {"all": items}, several) | st.builds(lambda item: {"not": item}, inner)

    return st.recursive(leaves, around, max_leaves=6)


NUMBERS = st.integers(-2, 12)
SIGNS = st.sampled_from(["< ", "<= ", "> ", ">= ", ""])
WORDS = st.sampled_from(["a", "b", "ab", "/a/", "/b/", "/^a$/", "/c/i", "/.*/"])


def read(kind: type[Expectation], wanted: Any) -> Expectation | None:
    try:
        return kind(wanted)
    except ValueError:
        return None


def meant(wanted: Any, observed: Any, leaf: Any) -> bool:
    """What all, not and lists mean, said a second time."""
    if isinstance(wanted, dict) and "all" in wanted:
        return all(meant(item, observed, leaf) for item in wanted["all"])
    if isinstance(wanted, dict):
        return not meant(wanted["not"], observed, leaf)
    if isinstance(wanted, list):
        return any(meant(item, observed, leaf) for item in wanted)
    return bool(leaf(wanted, observed))


@given(composed(st.builds("{}{}".format, SIGNS, NUMBERS)), st.integers(0, 30).map(lambda number: number / 2))
def test_numbers_mean_what_their_parts_mean_and_idle_ones_are_found(wanted: Any, observed: float) -> None:
    """Between two whole bounds one half is as good as any other number, so that the domain is 0, 0.5 ... 15."""

    def leaf(item: str, seen: float) -> bool:
        return Number(item).matches(seen)

    expectation = read(Number, wanted)
    if expectation is None:
        return
    everywhere = {meant(wanted, half / 2, leaf) for half in range(30)}
    assert meant(wanted, observed, leaf) is expectation.matches(observed)
    assert (True in everywhere, False in everywhere) == (expectation.can_hold(), expectation.can_fail())


@given(
    composed(WORDS | WORDS.map("!= {}".format)),
    st.text("abcC", max_size=3) | st.sets(st.text("abcC", min_size=1, max_size=2)).map(frozenset),
)
def test_texts_mean_what_their_parts_mean_and_none_is_called_idle_that_is_not(wanted: Any, observed: Any) -> None:
    def leaf(item: str, seen: Any) -> bool:
        return Text(item).matches(seen)

    expectation = read(Text, wanted)
    if expectation is None:
        return
    verdict = expectation.matches(observed)
    assert meant(wanted, observed, leaf) is verdict
    if observed != frozenset():  # a property always shows something, if only the empty text
        assert expectation.can_hold() if verdict else expectation.can_fail()


@given(st.lists(st.builds("{}{}".format, SIGNS, NUMBERS), min_size=1, max_size=4))
def test_what_is_refused_as_never_holding_is_what_never_holds(items: list[str]) -> None:
    found = any(all(Number(item).matches(half / 2) for item in items) for half in range(30))

    assert found is (read(Number, {"all": items}) is not None)


@pytest.mark.parametrize("key", ["all", "not"])
def test_all_and_not_are_nested_four_levels_deep_and_no_deeper(key: str) -> None:
    nested: Any = "> 1"
    for _ in range(4):
        nested = {key: [nested]}

    assert Number(nested).matches(2)
    with pytest.raises(ValueError, match="nested deeper than 4 levels"):
        Number({key: [nested]})


def test_what_is_unwanted_may_stand_alone_in_a_list() -> None:
    assert [Number(["!= 1"]).matches(number) for number in (2, 1)] == [True, False]


def test_expectations_are_equal_where_the_same_is_wanted_of_the_same() -> None:
    assert Number("> 1") == Number("> 1")
    assert Number("> 1") != Number("> 2")
    assert Number(1) != Text(1)
    assert Number("> 1") != "> 1"


def test_what_is_nested_is_shown_in_parentheses_at_each_level() -> None:
    assert str(Text({"not": [{"all": ["a", "/b/"]}]})) == "not (a and /b/)"
    assert str(Text({"not": {"all": ["/a/", "/b/"]}})) == "not (/a/ and /b/)"
