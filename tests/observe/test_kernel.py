"""The kernel that runs, and its clock."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from nodecheck.node.windows import clock, kernel
from nodecheck.node.windows.clock import ClockWant
from nodecheck.node.windows.kernel import KernelWant

from .writing import Root

V2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n"
V1 = "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n"
HYBRID = f"{V1}cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
V1_WITH_CILIUM = f"{V1}none /run/cilium/cgroupv2 cgroup2 rw,relatime 0 0\n"


def _look(write: Root, *, cmdline: str = "", tainted: str = "0\n", mounts: str = V2, lockdown: str = "") -> Any:
    write("/proc/cmdline", cmdline)
    write("/proc/sys/kernel/tainted", tainted)
    write("/proc/self/mounts", mounts)
    if lockdown:
        write("/sys/kernel/security/lockdown", lockdown)
    return kernel.look(KernelWant())


def test_the_kernel_of_this_machine_is_as_it_says_itself() -> None:
    seen = kernel.look(KernelWant())

    assert kernel.SHAPE(seen, "") == seen
    assert (os.uname().release, os.uname().machine) == (seen["release"], seen["architecture"])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("BOOT_IMAGE=/vmlinuz root=UUID=ab quiet\n", ["BOOT_IMAGE=/vmlinuz", "root=UUID=ab", "quiet"]),
        ('dyndbg="file a.c +p" x="a b"c\n', ["dyndbg=file a.c +p", "x=a bc"]),
        ("a=1 rd.luks.token=abcd b=2\n", ["a=1", "rd.luks.token=<masked>", "b=2"]),
        ("\n", []),
    ],
)
def test_the_words_of_the_command_line_are_told_without_secrets(write: Root, line: str, words: list[str]) -> None:
    assert words == _look(write, cmdline=line)["command_line"]


@pytest.mark.parametrize(
    ("bits", "names"),
    [
        ("0\n", []),
        ("1\n", ["proprietary_module"]),
        ("4737\n", ["proprietary_module", "died", "warning", "out_of_tree_module"]),
        (f"{1 << 30}\n", ["bit_30"]),
    ],
)
def test_taints_have_names(write: Root, bits: str, names: list[str]) -> None:
    assert names == _look(write, tainted=bits)["tainted"]


@pytest.mark.parametrize(
    ("mounts", "version"),
    [(V2, "v2"), (V1, "v1"), (HYBRID, "hybrid"), (V1_WITH_CILIUM, "v1"), ("tmpfs / tmpfs\n", None)],
)
def test_the_version_of_the_control_groups(write: Root, mounts: str, version: str | None) -> None:
    assert version == _look(write, mounts=mounts)["cgroup"]


@pytest.mark.parametrize(
    ("text", "lockdown"),
    [("none [integrity] confidentiality\n", "integrity"), ("[none] integrity\n", "none"), ("", None)],
)
def test_the_lockdown_is_the_one_in_brackets(write: Root, text: str, lockdown: str | None) -> None:
    assert lockdown == _look(write, lockdown=text)["lockdown"]


# ---- clock


def test_the_clock_of_this_machine_is_asked_and_not_touched() -> None:
    before = time.time() - time.monotonic()
    seen = clock.look(ClockWant())

    assert clock.SHAPE(seen, "") == seen
    assert 0 <= seen["maximum_error"] <= 16
    assert time.time() - time.monotonic() == pytest.approx(before, abs=0.05)


@pytest.mark.parametrize(
    ("state", "status", "offset", "expected"),
    [
        (0, 0x2001, -1_500_000, (True, 0.0015)),  # chrony, timesyncd: nanoseconds
        (0, 0x0001, -1500, (True, 0.0015)),  # an ntpd of old: microseconds
        (5, 0x0040, 0, (False, 0.0)),  # STA_UNSYNC
        (5, 0x1001, 0, (False, 0.0)),  # STA_CLOCKERR
        (1, 0x2011, 0, (True, 0.0)),  # a leap second will be inserted
    ],
)
def test_what_adjtimex_says_is_told_in_seconds(
    state: int, status: int, offset: int, expected: tuple[bool, float]
) -> None:
    seen = clock.told(state, offset=offset, maxerror=250_000, esterror=1000, status=status)

    assert (*expected, 0.25, 0.001) == pytest.approx(
        (seen["synchronised"], seen["offset"], seen["maximum_error"], seen["estimated_error"])
    )
