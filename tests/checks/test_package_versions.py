"""Versions are ordered as dpkg and rpm order them."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from nodecheck.checks._package_versions import Version, compare, parse

# From deb-version(7), dpkg's own lib/dpkg/t/t-version.c, and packages that nodes have.
DPKG = [
    ("1.20.2-00", "<", "1.20.10-00"),
    ("1.20.2-00", "=", "1.20.2-00"),
    ("1.29.1-1.1", ">", "1.29.1-1"),
    ("1.0~rc1-1", "<", "1.0-1"),
    ("1.0~~-1", "<", "1.0~~a-1"),
    ("1.0~~a-1", "<", "1.0~-1"),
    ("1.0~-1", "<", "1.0-1"),
    ("1.0-1", "<", "1.0a-1"),
    ("1.0a-1", "<", "1.0+-1"),
    ("1.0+dfsg-1", ">", "1.0-1"),
    ("0.09", "=", "0.9"),
    ("1.a", "<", "1.+"),
    ("1.2.3", "<", "1.2.3-1"),
    ("1.2.3-0", "=", "1.2.3"),
    ("20.10.24+dfsg1-1+deb12u1", ">", "20.10.24+dfsg1-1"),
    ("2:1.0-1", ">", "1:9.9-1"),
    ("1:1.0", ">", "0:2.0"),
    ("252.39-1~deb12u2", "<", "252.39-1"),
    ("1.6.20~ds1-1+b1", "<", "1.6.20-1"),
]
# From rpm's tests/rpmvercmp.at.
RPM = [
    ("1.0", "=", "1.0"),
    ("1.0", "<", "2.0"),
    ("2.0.1", ">", "2.0"),
    ("2.0.1a", ">", "2.0.1"),
    ("5.5p1", "<", "5.5p2"),
    ("5.5p10", ">", "5.5p1"),
    ("10xyz", "<", "10.1xyz"),
    ("xyz10", "<", "xyz10.1"),
    ("xyz.4", "<", "8"),
    ("xyz.4", "<", "2"),
    ("5.5p2", "<", "5.6p1"),
    ("6.0.rc1", ">", "6.0"),
    ("10b2", ">", "10a1"),
    ("1.0aa", "=", "1.0aa"),
    ("10.0001", "=", "10.1"),
    ("10.0001", "<", "10.0039"),
    ("4.999.9", "<", "5.0"),
    ("20101121", "<", "20101122"),
    ("2_0", "=", "2.0"),
    ("1.0~rc1", "<", "1.0"),
    ("1.0~rc1", "<", "1.0~rc2"),
    ("1.0~rc1~git123", "<", "1.0~rc1"),
    ("1.0^", ">", "1.0"),
    ("1.0^git1", "<", "1.01"),
    ("1.0^git1", "<", "1.0^git2"),
    ("1.0~rc1^git1", ">", "1.0~rc1"),
]


def _parsed(text: str) -> Version:
    version = parse(text)
    assert version is not None
    return version


def _with_epoch(text: str) -> Version:
    version = _parsed(text)
    return version._replace(epoch=version.epoch or 0)


def _sign(number: int) -> str:
    return "<" if number < 0 else ">" if number > 0 else "="


@pytest.mark.parametrize(("one", "sign", "other"), DPKG)
def test_dpkg_orders_so(one: str, sign: str, other: str) -> None:
    first, second = _with_epoch(one), _with_epoch(other)
    if second.revision:
        assert sign == _sign(compare("dpkg", first, second))
    if first.revision:
        assert {"<": ">", ">": "<", "=": "="}[sign] == _sign(compare("dpkg", second, first))


@pytest.mark.skipif(not shutil.which("dpkg"), reason="there is no dpkg to ask")
@pytest.mark.parametrize(("one", "sign", "other"), DPKG)
def test_dpkg_itself_says_the_same(one: str, sign: str, other: str) -> None:
    assert subprocess.run(["dpkg", "--compare-versions", one, sign, other], check=False).returncode == 0


@pytest.mark.parametrize(("one", "sign", "other"), RPM)
def test_rpm_orders_so(one: str, sign: str, other: str) -> None:
    assert sign == _sign(compare("rpm", _parsed(one), _parsed(other)))
    assert {"<": ">", ">": "<", "=": "="}[sign] == _sign(compare("rpm", _parsed(other), _parsed(one)))


@pytest.mark.parametrize(
    ("installed", "sign", "bound"),
    [
        ("5:20.10.7~3-0~debian", ">", "20.10"),
        ("5:20.10.7~3-0~debian", "<", "27"),
        ("5:20.10.7~3-0~debian", "<", "6:1"),
        ("5:20.10.7~3-0~debian", ">", "0:27"),
        ("1.20.2-00", "=", "1.20.2"),
        ("1.20.2-00", "<", "1.20.2-01"),
    ],
)
def test_an_epoch_and_a_revision_count_only_where_the_bound_has_them(installed: str, sign: str, bound: str) -> None:
    assert sign == _sign(compare("dpkg", _parsed(installed), _parsed(bound)))


@pytest.mark.parametrize("text", ["", "1.2 3", ">= 1", "a:1", "1:", "ü"])
def test_what_is_no_version_is_none(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "minor"),
    [("1.20.2-00", (1, 20)), ("5:20.10.7", (20, 10)), ("v1.29.0", (1, 29)), ("20240101", None), ("1", None)],
)
def test_the_minor_version_is_the_second_number(text: str, minor: tuple[int, int] | None) -> None:
    assert minor == _parsed(text).minor
