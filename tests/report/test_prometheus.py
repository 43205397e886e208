"""Metrics, read by promtool and by the textfile collector of Prometheus' node exporter."""

from __future__ import annotations

import os
import pathlib
import re
import socket
import stat
import subprocess
import time
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from fakes import report, result
from readers import GOLDEN, find, golden, run

from nodecheck.report import formats, prometheus
from nodecheck.report.result import Status
from nodecheck.report.style import Style

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.report.result import Report


@pytest.mark.parametrize("file", golden("prometheus"), ids=lambda file: file.name)
def test_promtool_has_nothing_to_say(file: pathlib.Path) -> None:
    ended = run("promtool", "check", "metrics", given=file.read_text())
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def _write(folder: pathlib.Path, made: Report) -> pathlib.Path:
    (output,) = formats.parse([f"prometheus={folder / 'nodecheck.prom'}"])
    formats.write(output, made, Style())
    return folder / "nodecheck.prom"


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture
def scraped(tmp_path: pathlib.Path) -> Iterator[list[str]]:
    """What the exporter tells of a file that nodecheck has written, line by line."""
    everything = report(
        result("a", Status.OK, since=1.5),
        result('b"\\ 容器', Status.CRITICAL),
        result("c", Status.UNKNOWN, deadline="run"),
        problems=("x",),
    )
    _write(tmp_path, everything)
    port = _free_port()
    collector = ["--collector.disable-defaults", "--collector.textfile", f"--collector.textfile.directory={tmp_path}"]
    with subprocess.Popen(
        [find("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{port}", *collector],
        stderr=subprocess.DEVNULL,
    ) as exporter:
        try:
            yield _scrape(f"http://127.0.0.1:{port}/metrics").splitlines()
        finally:
            exporter.terminate()


def _scrape(address: str) -> str:
    until = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                text: str = answer.read().decode()
                return text
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def test_the_exporter_takes_the_file_and_tells_every_series(scraped: list[str], tmp_path: pathlib.Path) -> None:
    written = [line for line in (tmp_path / "nodecheck.prom").read_text().splitlines() if not line.startswith("#")]

    assert "node_textfile_scrape_error 0" in scraped
    assert any(line.startswith("node_textfile_mtime_seconds{file=") for line in scraped)
    # The exporter orders labels, and writes large numbers in its own way.
    assert sorted(map(_series, written)) == sorted(_series(line) for line in scraped if line.startswith("nodecheck_"))


def _series(line: str) -> tuple[str, list[str], float]:
    found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
    assert found, line
    labels = re.findall(r'(\w+="(?:[^"\\]|\\.)*")', found[2] or "")
    return found[1], sorted(labels), float(found[3])


def test_of_the_series_of_a_check_one_is_1() -> None:
    text = (GOLDEN / "one-of-each.2.prometheus").read_text()
    found = re.findall(r'^nodecheck_check_status\{check="([^"]+)".*status="(\w+)"\} 1$', text, re.MULTILINE)
    assert dict(found) == {
        "systemd-answers": "ok",
        "docker.service-is-healthy": "critical",
        "docker-answers": "blocked",
        "the-kubelet-answers-on-its-health-port": "warning",
        "the-memory-is-bounded": "unknown",
        "no-gpu-here": "skipped",
    }
    assert len(found) * len(Status) == len(re.findall("^nodecheck_check_status", text, re.MULTILINE))


def test_the_exporter_may_read_the_file_whatever_the_umask_is(tmp_path: pathlib.Path) -> None:
    before = os.umask(0o077)
    try:
        file = _write(tmp_path, report(result("a", Status.OK)))
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_a_run_replaces_the_file_and_leaves_nothing_else_that_the_exporter_reads(tmp_path: pathlib.Path) -> None:
    first = _write(tmp_path, report(result("a", Status.OK))).stat().st_ino
    second = _write(tmp_path, report(result("a", Status.CRITICAL))).stat().st_ino
    assert first != second
    assert [file.name for file in tmp_path.iterdir()] == ["nodecheck.prom"]


def test_there_are_no_timestamps_which_the_collector_refuses() -> None:
    lines = prometheus.render(report(result("a", Status.OK, since=1.0)), Style()).splitlines()
    assert [line for line in lines if not line.startswith("#") and not re.search(r"[}a-z] \S+$", line)] == []
