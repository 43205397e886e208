from __future__ import annotations

from typing import Any

import pytest
from fakes import judge, make, node, seen_by, statuses, told
from hypothesis import given
from hypothesis import strategies as st

from nodecheck.checks._command_protocols import local_lines, measures
from nodecheck.node.node import Node
from nodecheck.report.result import Status

OK, WARNING, CRITICAL, UNKNOWN = Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN


def _stream(text: str, size: int | None = None) -> dict[str, Any]:
    return {"text": text, "whole": size is None, "size": len(text) if size is None else size}


def ran(code: int | None = 0, said: str = "", stderr: str = "", **fields: Any) -> dict[str, Any]:
    """Return what is seen of a command that ended so."""
    plain = {"outcome": "ended", "signal": "", "left": 0, "stuck": 0, "seconds": 0.01, "error": ""}
    return plain | {"exit_code": code, "stdout": _stream(said), "stderr": _stream(stderr)} | fields


def seen(data: dict[str, Any], key: str = "probe -x") -> Node:
    made = node()
    made.observed.windows = {"command": {key: data}}
    return made


def verdict(data: dict[str, Any], **arguments: Any) -> tuple[Status, str]:
    """Return the worst status and what is told."""
    check = make("command", run="probe -x", **arguments)
    found = judge(check, seen(data))
    return max((finding.status for finding in found), key=[*Status].index), told(check, seen(data))


@pytest.mark.parametrize(
    ("data", "arguments", "expected"),
    [
        (ran(), {}, (OK, "probe -x ended with exit code 0")),
        (ran(1), {}, (CRITICAL, "probe -x ended with exit code 1, expected 0")),
        (ran(1, "a\nb\n"), {}, (CRITICAL, 'probe -x ended with exit code 1, expected 0; it said "a b"')),
        (ran(1, "out", "oh"), {}, (CRITICAL, 'probe -x ended with exit code 1, expected 0; it said "oh"')),
        (ran(2), {"exit_code": "1..2"}, (OK, "probe -x ended with exit code 2")),
        (ran(0), {"exit_code": "!= 0"}, (CRITICAL, "probe -x ended with exit code 0, expected != 0")),
        (ran(None, signal="SIGSEGV"), {}, (CRITICAL, "probe -x was ended by SIGSEGV, expected 0")),
        (
            ran(None, signal="SIGSEGV"),
            {"exit_code": "!= 0"},
            (CRITICAL, "probe -x was ended by SIGSEGV, expected != 0"),
        ),
        (ran(127), {}, (CRITICAL, "probe -x ended with exit code 127, expected 0")),
        (ran(left=1), {}, (OK, "probe -x ended with exit code 0; it left 1 process behind, which was killed")),
        (
            ran(None, "half", outcome="timeout", seconds=5.0, left=2),
            {},
            (UNKNOWN, 'probe -x did not end within 5s and was killed; it said "half"'),
        ),
        (
            ran(None, outcome="flood", stdout=_stream("y", 17 << 20)),
            {},
            (UNKNOWN, 'probe -x said more than 17 MiB and was killed; it said "y"'),
        ),
        (
            ran(None, outcome="not_started", error="Permission denied"),
            {},
            (UNKNOWN, "probe -x could not be started: Permission denied"),
        ),
        (
            ran(stuck=1),
            {},
            (UNKNOWN, "1 process of probe -x cannot be ended, and stays"),
        ),
    ],
)
def test_how_a_command_ended_is_judged(
    data: dict[str, Any], arguments: dict[str, Any], expected: tuple[Status, str]
) -> None:
    assert expected == verdict(data, **arguments)


@pytest.mark.parametrize(
    ("data", "arguments", "found"),
    [
        (ran(1), {}, ("exit_code", "0", 1)),
        (ran(None, signal="SIGSEGV"), {}, ("exit_code", "0", "SIGSEGV")),
        (ran(0), {"exit_code": "!= 0"}, ("exit_code", "!= 0", 0)),
        (ran(None, outcome="timeout"), {}, ("run", "an end", "timeout")),
        (ran(None, outcome="timeout"), {"protocol": "nagios"}, ("run", "an end", "timeout")),
        (ran(2, "CRITICAL"), {"protocol": "nagios"}, ("exit_code", 0, 2)),
        (ran(None, signal="SIGSEGV"), {"protocol": "nagios"}, ("exit_code", 0, "SIGSEGV")),
        (ran(0, "OK|a=U"), {"protocol": "nagios"}, ("perfdata.a", None, None)),
        (ran(0, "2 a - broken"), {"protocol": "checkmk"}, ("a", "ok", "critical")),
        (ran(3), {"protocol": "checkmk"}, ("stdout", "lines of a local check", 3)),
        (ran(None, signal="SIGKILL"), {"protocol": "checkmk"}, ("stdout", "lines of a local check", "SIGKILL")),
        (ran(0, "what?"), {"protocol": "checkmk"}, ("stdout", "lines of a local check", "what?")),
    ],
)
def test_what_was_seen_of_a_command_is_in_its_finding(
    data: dict[str, Any], arguments: dict[str, Any], found: tuple[str, Any, Any]
) -> None:
    finding = judge(make("command", run="probe -x", **arguments), seen(data))[-1]

    assert found == (finding.property, finding.expected, finding.observed)


def test_a_number_of_a_plugin_that_is_not_known_says_so() -> None:
    found = judge(make("command", run="probe -x", protocol="nagios"), seen(ran(0, "OK|a=U b=1")))
    assert [finding.message for finding in found[1:]] == ["a is not known", "b is 1"]


def test_what_has_stayed_is_told_beside_how_it_ended() -> None:
    found = judge(make("command", run="probe -x", protocol="nagios"), seen(ran(0, "OK", stuck=2)))

    assert [(f.property, f.status, f.observed) for f in found] == [("run", UNKNOWN, 2), ("exit_code", OK, 0)]
    assert found[0].message == "2 processes of probe -x cannot be ended, and stays"


def test_a_command_of_another_user_is_judged_by_what_that_one_saw() -> None:
    check = make("command", run="id", user="nobody")
    assert statuses(check, seen(ran(), "id (as nobody)")) == {"exit_code": OK}


@pytest.mark.parametrize(
    ("stdout", "shown"),
    [
        ("", '""'), ("a b", '"a b"'), ("ab", "ab"), (" ab \n", "ab"), ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 200 + "..."),
    ],
)  # fmt: skip
def test_a_text_is_quoted_where_that_is_needed(stdout: str, shown: str) -> None:
    assert verdict(ran(0, stdout), stdout="other") == (CRITICAL, f"stdout of probe -x is {shown}, expected other")


def test_a_command_acts_and_so_it_waits_for_what_it_needs() -> None:
    assert make("command", run="id").ACTS


@pytest.mark.parametrize("code", [126, 127])
def test_what_the_shell_could_not_start_is_unknown_unless_that_is_wanted(code: int) -> None:
    check = make("command", run="probe -x", shell=True)
    assert statuses(check, seen(ran(code))) == {"exit_code": UNKNOWN}
    wanted = make("command", run="probe -x", shell=True, exit_code=code)
    assert statuses(wanted, seen(ran(code))) == {"exit_code": OK}


@pytest.mark.parametrize(
    ("stdout", "expected", "status"),
    [
        ("ready\n", "ready", OK),
        ("one\nready\ntwo\n", "ready", OK),
        ("one\nready\ntwo\n", "/^two$/", OK),
        ("one\ntwo\n", "/one\ntwo/", OK),
        ("not ready\n", "ready", CRITICAL),
        ("", "ready", CRITICAL),
        ("fine\n", "!= broken", OK),
        ("fine\nbroken\n", "!= broken", CRITICAL),
        ("password=<masked>\n", "/password=1/", UNKNOWN),
        ("node   \nready  \nwell", "ready", OK),
        ("node   \nfailed \nwell", "!= failed", CRITICAL),
        ("node   \nready  \nwell", "/ready  $/", OK),
    ],
)
def test_what_a_command_said_is_judged_by_the_whole_and_by_each_line(
    stdout: str, expected: str, status: Status
) -> None:
    check = make("command", run="probe -x", stdout=expected)
    assert statuses(check, seen(ran(0, stdout))) == {"exit_code": OK, "stdout": status}


def test_what_was_not_kept_could_be_what_is_looked_for() -> None:
    cut = ran(stdout=_stream("ready", 70000))
    assert verdict(cut, stdout="ready") == (
        UNKNOWN,
        "stdout of probe -x has 70000 bytes, too many to keep: it cannot be judged",
    )


def test_a_text_that_does_not_fit_is_shown_in_few_words() -> None:
    (_, finding) = judge(make("command", run="probe -x", stderr="quiet"), seen(ran(0, "", "loud \x1b[1m\n" * 999)))
    assert finding.message.startswith('stderr of probe -x is "loud [1m loud')
    assert len(finding.observed) < 250


@pytest.mark.parametrize(
    ("code", "stdout", "expected"),
    [
        (0, "OK - fine|a=1\n", (OK, "OK - fine")),
        (0, "  OK - fine | a=1\n", (OK, "OK - fine")),
        (1, "\nWARNING: so so\nmore", (WARNING, "WARNING: so so")),
        (2, "CRITICAL", (CRITICAL, "CRITICAL")),
        (3, "UNKNOWN: no answer", (UNKNOWN, "UNKNOWN: no answer")),
        (0, "", (OK, "probe -x said nothing")),
        (
            4,
            "what?",
            (UNKNOWN, "probe -x ended with exit code 4, which says nothing about the node: what?"),
        ),
        (
            127,
            "",
            (UNKNOWN, "probe -x ended with exit code 127, which says nothing about the node: probe -x said nothing"),
        ),
    ],
)
def test_a_nagios_plugin_says_its_verdict_itself(code: int, stdout: str, expected: tuple[Status, str]) -> None:
    found = verdict(ran(code, stdout), protocol="nagios")
    assert expected == (found[0], found[1].partition("; a is")[0])


def test_a_nagios_plugin_that_crashed_says_nothing_about_the_node() -> None:
    found = verdict(ran(None, "OK", signal="SIGSEGV"), protocol="nagios")
    assert found == (UNKNOWN, "probe -x was ended by SIGSEGV, which says nothing about the node: OK")


def test_of_many_numbers_only_the_first_are_findings() -> None:
    many = "OK|" + " ".join(f"a{number}=1" for number in range(60))
    assert len(judge(make("command", run="probe -x", protocol="nagios"), seen(ran(0, many)))) == 1 + 50


@pytest.mark.parametrize(("number", "status"), [(200, OK), (201, UNKNOWN)])
def test_of_many_lines_of_a_local_check_the_rest_is_unknown(number: int, status: Status) -> None:
    assert verdict(ran(0, "0 a - fine\n" * number), protocol="checkmk")[0] is status


@pytest.mark.parametrize(("code", "status"), [(0, OK), (1, CRITICAL), (2, UNKNOWN), (3, UNKNOWN)])
def test_an_npd_plugin_knows_three_answers(code: int, status: Status) -> None:
    assert verdict(ran(code, "node has NTP|unsynced\n"), protocol="npd")[0] == status
    assert "node has NTP|unsynced" in verdict(ran(code, "node has NTP|unsynced\n"), protocol="npd")[1]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("OK", []),
        ("OK | load1=0.080;2.000;4.000;0; load5=1", [("load1", "0.08"), ("load5", "1")]),
        ("OK |'a b'=5% 'it''s'=3ms", [("a b", "5%"), ("it's", "3ms")]),
        ("OK |/var=12MB;;;0;99 x=U", [("/var", "12MB"), ("x", None)]),
        ("OK |t=0,5s", [("t", "0.5s")]),
        ("OK |a=1\nlong text\nmore | b=2\nc=3", [("a", "1"), ("b", "2"), ("c", "3")]),
        ("OK |a=1e-3", [("a", "0.001")]),
        ("OK | nothing useful", []),
    ],
)
def test_the_numbers_of_a_plugin_are_read(output: str, expected: list[tuple[str, str | None]]) -> None:
    assert expected == [(measure.label, measure.shown) for measure in measures(output)]


def test_the_numbers_of_a_plugin_are_findings() -> None:
    found = judge(make("command", run="probe -x", protocol="nagios"), seen(ran(0, "OK|load1=0.08;2;4")))
    assert [(f.property, f.status, f.observed) for f in found] == [
        ("exit_code", OK, 0),
        ("perfdata.load1", OK, "0.08"),
    ]


@pytest.mark.parametrize(
    ("line", "status", "name", "text"),
    [
        ("0 myservice - all well", OK, "myservice", "all well"),
        ('1 "My service" a=1 so so', WARNING, "My service", "so so"),
        ("2 x a=1;2;3|b=2 broken\\nall of it", CRITICAL, "x", "broken; all of it"),
        ("3 x -", UNKNOWN, "x", ""),
        ("cached(1690000000,300) 0 x - old", OK, "x", "old"),
        ("P x a=9;10;20 t", OK, "x", "t"),
        ("P x a=10;10;20", WARNING, "x", "a 10"),
        ("P x a=1;10;20|b=20;10;20", CRITICAL, "x", "a 1, b 20"),
        ("P x a=4;5:10;2:20", WARNING, "x", "a 4"),
        ("P x a=1;5:10;2:20", CRITICAL, "x", "a 1"),
        ("P x a=1", OK, "x", "a 1"),
        ("P x -", UNKNOWN, "x", ""),
        ("P x a=1;high", UNKNOWN, "x", "a 1"),
    ],
)
def test_a_line_of_a_local_check_is_read(line: str, status: Status, name: str, text: str) -> None:
    assert [(status, name, text)] == [*local_lines(line)]


def test_each_line_of_a_local_check_is_a_finding() -> None:
    output = "<<<local:sep(0)>>>\n0 a - fine\n2 b - broken\nwhat is this\n"
    found = judge(make("command", run="probe -x", protocol="checkmk"), seen(ran(0, output)))
    assert [(f.property, f.status, f.message) for f in found] == [
        ("a", OK, "a: fine"),
        ("b", CRITICAL, "b: broken"),
        ("stdout", UNKNOWN, "probe -x said what is no line of a local check: what is this"),
    ]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (ran(0), "probe -x said nothing, and ended with exit code 0"),
        (ran(None, "0 a - fine", signal="SIGKILL"), "was ended by SIGKILL: what it had still to say is not known"),
        (ran(0, stdout=_stream("0 a - fine", 99999)), "said more than is judged: 1 lines were kept, 200 are judged"),
    ],
)
def test_a_local_check_that_was_cut_off_is_not_well(data: dict[str, Any], says: str) -> None:
    status, message = verdict(data, protocol="checkmk")
    assert status is UNKNOWN
    assert says in message


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"run": "df -h"}, ()),
        ({"run": ["/opt/my plugin", "a"]}, ()),
        ({"run": "df 'unclosed"}, ("run",)),
        ({"run": "   "}, ("run",)),
        ({"run": "'' a"}, ("run",)),
        ({"run": " ", "shell": True}, ("run",)),
        ({"run": "./plugin"}, ("run",)),
        ({"run": "a | b", "shell": True}, ()),
        ({"run": ["a", "b"], "shell": True}, ("run",)),
        ({"run": "a\0b"}, ("run",)),
        ({"run": "a", "protocol": "nagios", "exit_code": 1}, ("exit_code",)),
        ({"run": "a", "exit_code": 1}, ()),
        ({"run": "./a | b", "shell": True}, ()),
        ({"run": ["a", "b\0"]}, ("run",)),
        ({"run": "a", "protocol": "nagios", "stdout": "/x/"}, ()),
    ],
)
def test_what_cannot_be_run_is_a_mistake(arguments: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert expected == tuple(argument for argument, _, _ in make("command", **arguments).mistakes())


@pytest.mark.parametrize(
    ("run", "word"),
    [
        ("ls / | wc -l", "|"),
        ("a || b", "||"),
        ("a && b", "&&"),
        ("a &", "&"),
        ("a > /tmp/x", ">"),
        ("a >> /tmp/x", ">>"),
        ("a < /etc/passwd", "<"),
        ("a 2>&1", "2>&1"),
        ("a >/dev/null", ">/dev/null"),
        ("cd /tmp; ls", "/tmp;"),
        ("a ; b", ";"),
    ],
)
def test_what_only_a_shell_understands_is_suspicious_without_one(run: str, word: str) -> None:
    ((argument, message, hint),) = make("command", run=run).suspicions()

    assert (argument, message, hint) == ("run", f"{word} is for a shell, and none reads this", "shell: true")
    assert [*make("command", run=run, shell=True).suspicions()] == []


@pytest.mark.parametrize(
    "run",
    [
        "df -h",
        "grep '|' /etc/x",
        'a "b | c"',
        'a "b \\" | c"',
        "find / -exec ls {} \\;",
        r"expr 1 \< 2",
        "a 'b;' c",
        "a b|c",
        ["find", "/", "-exec", "ls", ";"],
    ],
)
def test_what_is_quoted_is_a_word_like_any_other(run: Any) -> None:
    assert [*make("command", run=run).suspicions()] == []


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"run": "df -h  '/my disk'"}, "df -h '/my disk'"),
        ({"run": ["/opt/my plugin", "a"]}, "'/opt/my plugin' a"),
        ({"run": "a | b", "shell": True}, "a | b"),
        ({"run": "id", "user": "nobody"}, "id (as nobody)"),
    ],
)
def test_a_command_is_called_as_one_would_type_it(arguments: dict[str, Any], key: str) -> None:
    (want,) = make("command", **arguments).wants()
    assert key == want.key  # type: ignore[union-attr]  # a command is looked at through a window


def test_secrets_of_a_command_line_are_not_told_and_two_commands_stay_two() -> None:
    keys = {want.key for word in ("one", "two") for want in make("command", run=f"probe --password={word}").wants()}  # type: ignore[union-attr]  # the same
    assert len(keys) == 2
    assert {key.partition(" #")[0] for key in keys} == {"probe '--password=<masked>'"}


LINES = st.lists(
    st.sampled_from([*"OK|'a b'=|a=|1|1;2|;|U|kB|\n|0 name - text|P n a=1;2;3 x|-|%| ".split("|"), "|"])
    | st.text(max_size=5),
    max_size=20,
).map("".join)


@pytest.mark.parametrize("protocol", ["nagios", "checkmk", "npd"])
@given(output=LINES, code=st.integers(0, 255))
def test_whatever_a_plugin_says_has_a_status(protocol: str, output: str, code: int) -> None:
    status, message = verdict(ran(code, output), protocol=protocol)
    assert status in Status
    assert message


def test_what_tells_two_commands_apart_is_not_shown_to_people() -> None:
    check = make("command", run="echo password=hunter2; exit 1", shell=True)
    message = told(check, seen_by(check, ran(1)))
    assert message.startswith("echo password=<masked>; exit 1 ended with exit code 1, expected 0")
