"""Swap: what is on, what comes back, and the verdict."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import dark, judge, make, node, status_of, statuses, told

from nodecheck.node.node import Node
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN
FILE = {"name": "/swap.img", "size": 2 << 30, "used": 1 << 30}
ENTRY = {"name": "/swap.img", "by": "/etc/fstab line 3"}
SERVICE = {"name": "swap", "by": "zramswap.service"}
PARTITION = {"name": "/dev/vda3", "by": "systemd-gpt-auto-generator"}


def seen(now: list[Any], at_boot: list[Any]) -> Node:
    """Return a node on which this swap was seen."""
    made = node()
    made.observed.windows = {"swap": {"now and at boot": {"now": now, "at_boot": at_boot}}}
    return made


@pytest.mark.parametrize(
    ("arguments", "now", "at_boot", "status", "message"),
    [
        ({}, [], [], OK, "swap is off; nothing turns swap on at boot"),
        ({}, [FILE], [], CRITICAL, "swap is on: /swap.img (2048MiB)"),
        ({}, [], [ENTRY], CRITICAL, "at the next boot swap is turned on: /swap.img by /etc/fstab line 3"),
        ({}, [], [SERVICE], CRITICAL, "at the next boot swap is turned on: swap by zramswap.service"),
        ({"now": False}, [], [ENTRY], OK, "swap is off"),
        ({"at_boot": False}, [FILE], [], OK, "nothing turns swap on at boot"),
        ({"now": True}, [], [], CRITICAL, "swap is off"),
        ({"at_boot": True}, [FILE], [], CRITICAL, "nothing turns swap on at boot"),
        (
            {"now": True, "at_boot": True},
            [FILE],
            [ENTRY],
            OK,
            "swap is on: /swap.img (2048MiB); at the next boot swap is turned on: /swap.img by /etc/fstab line 3",
        ),
        ({"used": "< 50%"}, [FILE], [], CRITICAL, "used part of swap is 50.0%, expected < 50%"),
        ({"used": "< 50%"}, [], [], OK, "used part of swap is 0.0%"),
        ({"total": ">= 4GiB"}, [FILE, FILE], [], OK, "size of swap is 4.0GiB"),
        ({"total": ">= 4GiB"}, [FILE], [], CRITICAL, "size of swap is 2.0GiB, expected >= 4GiB"),
    ],
)
def test_verdicts(arguments: dict[str, Any], now: list[Any], at_boot: list[Any], status: Status, message: str) -> None:
    check = make("swap", **arguments)
    assert status == status_of(check, seen(now, at_boot))
    assert message == told(check, seen(now, at_boot))


def test_only_what_is_asked_for_is_judged() -> None:
    assert statuses(make("swap", used="< 90%"), seen([FILE], [ENTRY])) == {"used": OK}


@pytest.mark.parametrize(
    ("wanted", "now", "at_boot", "remedy"),
    [
        ({"now": False}, [FILE], [], "swapoff -a"),
        ({"now": True}, [], [], ""),
        ({"at_boot": False}, [], [ENTRY], "take it out of /etc/fstab, or systemctl mask swap.target"),
        ({"at_boot": False}, [], [SERVICE], "systemctl disable zramswap.service"),
        ({"at_boot": False}, [], [{"name": "/dev/sdb2", "by": "dev-sdb2.swap"}], "systemctl disable dev-sdb2.swap"),
        ({"at_boot": False}, [], [PARTITION], "systemctl mask swap.target"),
        ({"at_boot": True}, [], [], ""),
    ],
)
def test_what_turns_it_off_is_told(wanted: dict[str, bool], now: list[Any], at_boot: list[Any], remedy: str) -> None:
    (finding,) = judge(make("swap", **wanted), seen(now, at_boot))

    assert remedy == finding.remedy


def test_swap_that_could_not_be_seen_is_unknown() -> None:
    made = node()
    made.observed.windows = {"swap": {"now and at boot": dark("it hangs", "swap", broken=True)}}
    assert status_of(make("swap"), made) is UNKNOWN


@pytest.mark.parametrize("wanted", [{"total": "> 1GiB"}, {"used": "< 50%"}])
def test_what_is_off_has_no_size(wanted: dict[str, str]) -> None:
    assert [mistake[0] for mistake in make("swap", now=False, **wanted).mistakes()] == ["now"]
    assert list(make("swap", now=True, **wanted).mistakes()) == []


def test_the_remedy_names_what_turns_it_on() -> None:
    (finding,) = make("swap", at_boot=False).judge(seen([], [ENTRY]))
    assert finding.remedy == "take it out of /etc/fstab, or systemctl mask swap.target"
