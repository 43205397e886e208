"""Windows on small files of the kernel: as this machine has them, and as others have."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

import pytest

from nodecheck.node import kernelfiles
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows import load, memory, pressure
from nodecheck.node.windows.load import LoadWant
from nodecheck.node.windows.memory import MemoryWant
from nodecheck.node.windows.pressure import PressureWant

from .writing import Root

# ---- memory

CENTOS_7 = """\
MemTotal:        1882148 kB
MemFree:          117652 kB
MemAvailable:    1210944 kB
SwapTotal:       2097148 kB
SwapFree:        2096628 kB
HugePages_Total:       4
HugePages_Free:        3
Hugepagesize:       2048 kB
"""
OLD = "MemTotal: 100 kB\nMemFree: 50 kB\n"  # before Linux 3.14, and with neither swap nor huge pages built in
NOTHING = {
    "swap_total": 0, "swap_free": 0, "hugetlb": 0, "hugepages": None, "hugepages_free": None, "oom_kills": None,
    "limit": None,
}  # fmt: skip


def test_the_memory_of_this_machine_is_as_it_says_itself() -> None:
    seen = memory.look(MemoryWant())

    assert memory.SHAPE(seen, "") == seen
    assert seen["total"] == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 0 < seen["available"] <= seen["total"]


def test_an_older_kernel_tells_less(write: Root) -> None:
    write("/proc/meminfo", OLD)

    assert memory.look(MemoryWant()) == {"total": 102400, "available": None, **NOTHING}


def test_sizes_are_bytes_and_huge_pages_are_counted(write: Root) -> None:
    write("/proc/meminfo", f"{CENTOS_7}Hugetlb: 8192 kB\n")
    write("/proc/vmstat", "pgmajfault 7\noom_kill 2\n")

    assert memory.look(MemoryWant()) == {
        "total": 1882148 * 1024, "available": 1210944 * 1024, "swap_total": 2097148 * 1024,
        "swap_free": 2096628 * 1024, "hugetlb": 8192 * 1024, "hugepages": 4, "hugepages_free": 3,
        "oom_kills": 2, "limit": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("file", "text", "limit"),
    [
        ("memory.max", "536870912\n", 536870912),
        ("memory.max", "max\n", None),
        ("memory/memory.limit_in_bytes", "536870912\n", 536870912),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", None),
    ],
)
def test_a_container_sees_how_much_it_may_use(write: Root, file: str, text: str, limit: int | None) -> None:
    write("/proc/meminfo", CENTOS_7)
    write(f"/sys/fs/cgroup/{file}", text)

    assert limit == memory.look(MemoryWant())["limit"]


# ---- load


def test_the_load_of_this_machine_is_as_it_says_itself() -> None:
    seen = load.look(LoadWant())

    assert load.SHAPE(seen, "") == seen
    assert seen["load15"] == pytest.approx(os.getloadavg()[2], abs=0.2)
    assert 0 < seen["running"] < seen["tasks"]


def test_the_numbers_of_the_load_stand_in_one_line(write: Root) -> None:
    write("/proc/loadavg", "5.20 4.26 3.09 6/427 6242\n")
    expected = {"load1": 5.2, "load5": 4.26, "load15": 3.09, "running": 6, "tasks": 427, "processors": os.cpu_count()}

    assert expected == load.look(LoadWant())


# ---- pressure

TWO_LINES = """\
some avg10=1.50 avg60=2.25 avg300=46.82 total=1345301484
full avg10=0.00 avg60=0.10 avg300=0.20 total=11
"""


@pytest.mark.skipif(not os.path.exists("/proc/pressure"), reason="this kernel does not measure pressure")
@pytest.mark.parametrize("resource", ["cpu", "memory", "io"])
def test_the_pressure_on_this_machine_is_seen(resource: str) -> None:
    seen = pressure.look(PressureWant(resource))

    assert pressure.SHAPE(seen, "") == seen
    assert all(0 <= share <= 100 for share in seen["some"].values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            TWO_LINES,
            {
                "some": {"avg10": 1.5, "avg60": 2.25, "avg300": 46.82},
                "full": {"avg10": 0.0, "avg60": 0.1, "avg300": 0.2},
            },
        ),
        (
            TWO_LINES.splitlines(keepends=True)[0],
            {"some": {"avg10": 1.5, "avg60": 2.25, "avg300": 46.82}, "full": None},
        ),
        (TWO_LINES.splitlines(keepends=True)[1], {"some": None, "full": {"avg10": 0.0, "avg60": 0.1, "avg300": 0.2}}),
    ],
)
def test_the_lines_that_a_kernel_has_are_read(write: Root, text: str, expected: dict[str, Any]) -> None:
    write("/proc/pressure/io", text)

    assert expected == pressure.look(PressureWant("io"))


@pytest.mark.parametrize("resource", ["cpu", "irq"])
def test_a_kernel_that_does_not_measure_pressure_is_told_how_to(write: Root, resource: str) -> None:
    with pytest.raises(Unobserved, match="does not measure") as dark:
        pressure.look(PressureWant(resource))

    assert "psi=1" in dark.value.remedy


def test_a_kernel_that_has_it_switched_off_says_so_when_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: str) -> str:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(kernelfiles, "read", refuse)
    with pytest.raises(Unobserved, match="does not measure"):
        pressure.look(PressureWant("cpu"))


# ---- all of them


@pytest.mark.parametrize(
    ("path", "look", "want"),
    [
        ("/proc/meminfo", memory.look, MemoryWant()),
        ("/proc/loadavg", load.look, LoadWant()),
        ("/proc/pressure/cpu", pressure.look, PressureWant("cpu")),
    ],
)
def test_a_file_that_is_written_in_another_way_is_not_guessed_at(
    write: Root, path: str, look: Callable[[Any], Any], want: Any
) -> None:
    write(path, "what is this?\n")
    with pytest.raises(Unobserved, match=f"{path} is not as expected: 'what is this\\?'"):
        look(want)
