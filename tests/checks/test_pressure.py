from __future__ import annotations

from typing import Any

import pytest
from fakes import dark, make, node, status_of, told

from nodecheck.node.node import Node
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN
SEEN: dict[str, Any] = {
    "some": {"avg10": 30.0, "avg60": 20.0, "avg300": 10.0},
    "full": {"avg10": 3.0, "avg60": 2.0, "avg300": 1.0},
}


def _seen(resource: str = "io", **changed: Any) -> Node:
    made = node()
    made.observed.windows = {"pressure": {f"/proc/pressure/{resource}": SEEN | changed}}
    return made


@pytest.mark.parametrize(("kind", "share"), [("some", 30), ("full", 3)])
@pytest.mark.parametrize(("mean", "part"), [("avg10", 1.0), ("avg60", 2 / 3), ("avg300", 1 / 3)])
def test_each_mean_of_each_kind_is_judged(kind: str, share: int, mean: str, part: float) -> None:
    wanted = round(share * part)
    at_most = make("pressure", **{"resource": "io", f"{kind}_{mean}": f"<= {wanted}%"})
    below = make("pressure", **{"resource": "io", f"{kind}_{mean}": f"< {wanted}%"})

    assert (status_of(at_most, _seen()), status_of(below, _seen())) == (OK, CRITICAL)


@pytest.mark.parametrize(
    ("resource", "arguments", "changed"),
    [("irq", {"some_avg10": "< 5%"}, {"some": None}), ("cpu", {"full_avg10": "< 5%"}, {"full": None})],
)
def test_what_the_kernel_does_not_measure_is_unknown(
    resource: str, arguments: dict[str, Any], changed: dict[str, Any]
) -> None:
    assert UNKNOWN is status_of(make("pressure", resource=resource, **arguments), _seen(resource, **changed))


def test_a_kernel_without_it_is_unknown() -> None:
    seen = node()
    seen.observed.windows = {"pressure": {"/proc/pressure/io": dark("does not measure pressure")}}

    assert told(make("pressure", resource="io", some_avg10="< 5%"), seen) == "does not measure pressure"


def test_the_message_tells_who_waited_for_what() -> None:
    expected = (
        "share of the last minute in which some work waited for io of this host is 20.0%, expected < 10%; "
        "share of the last 10 seconds in which all work waited for io of this host is 3.0%, expected < 1%"
    )
    assert expected == told(make("pressure", resource="io", some_avg60="< 10%", full_avg10="< 1%"), _seen())


def test_without_any_expectation_it_is_a_mistake() -> None:
    assert [argument for argument, _, _ in make("pressure", resource="io").mistakes()] == ["resource"]
    assert list(make("pressure", resource="io", some_avg60="< 3%").mistakes()) == []


@pytest.mark.parametrize(
    ("resource", "argument", "hint"), [("irq", "some_avg10", "full_avg10"), ("cpu", "full_avg10", "some_avg10")]
)
def test_of_some_only_one_kind_is_measured(resource: str, argument: str, hint: str) -> None:
    check = make("pressure", resource=resource, some_avg10="< 3%", full_avg10="< 1%")

    assert [(argument, hint)] == [(argument, hint) for argument, _, hint in check.mistakes()]
