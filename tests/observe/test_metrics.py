"""The text format of Prometheus."""

from __future__ import annotations

import pytest

from nodecheck.node.windows._metrics import values

BODY = """\
# HELP etcd_server_has_leader Whether or not a leader exists. 1 is existence, 0 is not.
# TYPE etcd_server_has_leader gauge
etcd_server_has_leader 1
etcd_server_has_leader_not 7
etcd_server_quota_backend_bytes 2.147483648e+09
requests{code="200",path="/a}b"} 3 1395066363000
requests{code="500"} 4
wal_bucket{le="0.001"} 6
wal_bucket{le="+Inf"} 10
wal_sum 1.5
wal_count 10
never_sum 0
never_count 0
used_sum{code="200"} 1
used_count{code="200"} 2
used_sum{code="500"} 0
used_count{code="500"} 0
seen{le="1 # {"} 5 # {trace_id="x"} 0.5
broken{a="b" 3
said hello
age NaN
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("etcd_server_has_leader", ["1"]),
        ("etcd_server_quota_backend_bytes", ["2.147483648e+09"]),
        ("requests", ["3", "4"]),
        ('requests{code="500"}', ["4"]),
        ("seen", ["5"]),
        ("wal", ["0.15"]),
        ("never", ["NaN"]),
        ("used", ["0.5"]),
        ("broken", []),
        ("said", []),
        ("age", ["NaN"]),
        ("request", []),
    ],
)
def test_a_metric_has_the_values_of_its_series(name: str, expected: list[str]) -> None:
    assert {name: expected} == values(BODY, [name])
