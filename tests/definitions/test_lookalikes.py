"""Texts that are legal and probably do not mean what their author meant."""

import re
import time
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.definitions.expectation import HeldText, Number, Regex, Text
from nodecheck.definitions.lookalikes import of_pattern, of_text


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("kube-*", "write /^kube-/"),
        ("*.service", r"write /\.service$/"),
        ("*proxy*", "write /proxy/"),
        ("kube*proxy", "write /^kube.*proxy$/"),
        ("node0?", "write /^node0.$/"),
        ("node[12]", "write /^node[12]$/"),
        ("!= kube-*", "write /^kube-/"),
        (["running", "kube-*"], "write /^kube-/"),
        ({"not": {"all": ["running", "kube-*"]}}, "write /^kube-/"),
        ("^kube-.*$", "as a regular expression it is /^kube-.*$/"),
        ("^kube", "it is /^kube/"),
        ("kube$", "it is /kube$/"),
        ("kube.*", "it is /kube.*/"),
        (r"v\d", r"it is /v\d/"),
        ("running|exited", "it is /running|exited/"),
        ("(running)", r"it is /(running)/"),
        ("node[0-9]+", r"it is /node[0-9]+/"),
        ("/docker*/", "any text is .*: write /^docker/"),
        ("/^docker*/", "write /^docker/"),
        ("/kube-*/i", "write /^kube-/"),
        ("/kube*proxy/", "write /^kube.*proxy$/"),
        ("/usr/lib/", "if it is a path, write /usr/lib"),
        ("!failed", 'write "!= failed"'),
        ("not failed", 'write "!= failed"'),
        ("= failed", "the text alone"),
        ({"not": "=~ /failed/"}, "the text alone"),
        ("running or exited", "written as a list"),
        ("running, exited", "written as a list"),
    ],
)
def test_a_text_that_looks_like_something_else_is_suspicious(wanted: Any, said: str) -> None:
    (found,) = Text(wanted).suspicions()
    assert said in found


@pytest.mark.parametrize(
    "wanted",
    [
        "running", "kube-proxy", "docker.service", "user@1000.service", "/usr/bin/dockerd", "/usr/lib/x", "a b", "0755",
        "$HOME", "c++", "C:\\x", "/^kube-/", "/kube.*/", "/^kube-.*$/", "/^(a|b)*$/", "/[a-z]*x/", "/0*1/", "/run/",
        "/x/", "!= failed", "!= /^kube-/", ["running", "exited"], {"not": ["failed", "/^stop/"]}, "origin", "for",
        "exit-code", "/etc\\/x/", "foo.bar", "a+b", "café", "(none)x",
    ],
)  # fmt: skip
def test_what_is_meant_as_it_stands_is_not(wanted: Any) -> None:
    assert list(Text(wanted).suspicions()) == []


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("^/usr/bin/kubelet ", []),
        ("/kubelet/", []),
        ("--config=.*", []),
        (".*", [".* fits any text"]),
        ("kube*", ["* repeats the letter before it in kube*; any text is .*: write /^kube/"]),
        ("/x?/", ["x? fits any text"]),
    ],
)
def test_a_regular_expression_by_itself_may_be_suspicious_too(wanted: str, said: list[str]) -> None:
    assert said == list(Regex(wanted).suspicions())


def test_what_has_no_words_has_no_such_suspicions() -> None:
    expected: tuple[list[str], list[str]] = [], []
    assert expected == (list(Number("< 3").suspicions()), list(HeldText("!= D for 1m").suspicions()))


@given(st.text("ab-.*?", min_size=1, max_size=6).filter(lambda glob: set(glob) & set("*?")))
def test_what_is_suggested_for_a_glob_fits_what_a_shell_would(glob: str) -> None:
    said = next(of_text(glob))
    if "write " in said:
        pattern = re.compile(said.rpartition("write ")[2][1:-1])
        names = ("", "a", "ab", "a-b", "b.a", "ab-ab", ".", "a.b", "-", "aab")
        assert [fnmatchcase(name, glob) for name in names] == [bool(pattern.search(name)) for name in names]


@pytest.mark.parametrize("part", ["[", "[^", "a|", "a/", "a-", "not ", "a, ", "*"])
def test_a_text_of_any_length_is_suspected_at_once(part: str) -> None:
    started = time.process_time()
    assert list(of_text(part * 50_000)) == list(of_pattern(part * 50_000))

    assert time.process_time() - started < 0.1


@given(st.text(max_size=12))
def test_any_text_is_suspected_without_a_crash(text: str) -> None:
    assert all([*of_text(text), *of_pattern(text)])
