"""Files: what is seen of them, what is wanted, and the verdict."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import REALTIME, dark, judge, make, node, status_of, statuses, told

from nodecheck.node.node import Node
from nodecheck.node.windows.file import PathWant
from nodecheck.report.result import Status

OK, CRITICAL, UNKNOWN = Status.OK, Status.CRITICAL, Status.UNKNOWN
SUM = f"sha256:{'ab' * 32}"
OTHER_SUM = f"sha256:{'cd' * 32}"


def file(path: str = "/etc/x", **changed: Any) -> dict[str, Any]:
    """Return a file that is well, with some of it changed."""
    modified = int((REALTIME - 3600) * 1e6)
    plain = {"path": path, "kind": "file", "link": None, "mode": 0o640, "size": 2048, "modified": modified}
    return plain | {"uid": 0, "gid": 42, "unseen": {}} | changed


OWNED = file(owner="root", group="shadow")
NAMELESS = file(owner=None, group=None, uid=1234)
TWO_LINES = file(text="first = 1\n  second\n")
DANGLING = file(kind="nowhere", link="../y")
SOCKET = file(kind="socket", listening="yes")


def seen(arguments: dict[str, Any], *files: dict[str, Any], count: int | None = None) -> Node:
    """Return a node on which these files were seen by a check with these arguments."""
    made = node()
    (want,) = make("file", **arguments).wants()
    data = {"count": len(files) if count is None else count, "files": list(files)}
    made.observed.windows = {"file": {want.key: data}}  # type: ignore[union-attr]  # it looks through a window
    return made


@pytest.mark.parametrize(
    ("arguments", "found", "status", "message"),
    [
        ({}, file(), OK, "/etc/x exists"),
        ({}, None, CRITICAL, "/etc/x does not exist"),
        ({"state": "absent"}, None, OK, "/etc/x does not exist"),
        ({"state": "absent"}, file(), CRITICAL, "/etc/x exists, expected nothing"),
        ({"mode": "0640"}, None, CRITICAL, "/etc/x does not exist"),
        ({}, DANGLING, CRITICAL, "/etc/x is a link to ../y, which does not exist"),
        ({"state": "absent"}, DANGLING, CRITICAL, "/etc/x is a link to ../y, which does not exist"),
        ({"mode": "0640"}, DANGLING, CRITICAL, "/etc/x is a link to ../y, which does not exist"),
        ({"kind": "link"}, DANGLING, OK, "/etc/x is a link to ../y, which does not exist"),
        ({"target": "/y"}, DANGLING, OK, "/etc/x is a link to ../y, which does not exist"),
        ({"kind": "!= file"}, DANGLING, CRITICAL, "/etc/x is a link to ../y, which does not exist"),
        ({"kind": "file"}, DANGLING, CRITICAL, "/etc/x is a link to ../y, which does not exist"),
        ({"kind": "file"}, file(), OK, "/etc/x exists"),
        ({"kind": "directory"}, file(), CRITICAL, "kind of /etc/x is file, expected directory"),
        ({"kind": "socket"}, file(kind="directory"), CRITICAL, "kind of /etc/x is directory, expected socket"),
        ({"kind": "file"}, file(link="y"), OK, "/etc/x exists"),
        ({"kind": "link"}, file(link="y"), OK, "/etc/x exists"),
        ({"kind": "!= link"}, file(link="y"), CRITICAL, "kind of /etc/x is file, expected != link"),
        ({"mode": "0640"}, file(), OK, "/etc/x exists"),
        ({"mode": "640"}, file(), OK, "/etc/x exists"),
        ({"mode": ["0600", "0400"]}, file(), CRITICAL, "mode of /etc/x is 0640, expected 0600 or 0400"),
        ({"mode_at_most": "0640"}, file(), OK, "/etc/x exists"),
        ({"mode_at_most": "0644"}, file(mode=0o600), OK, "/etc/x exists"),
        ({"mode_at_most": "0604"}, file(), CRITICAL, "mode of /etc/x is 0640, expected at most 0604"),
        ({"mode_at_most": "0777"}, file(mode=0o4755), CRITICAL, "mode of /etc/x is 4755, expected at most 0777"),
        ({"owner": "root", "group": "shadow"}, OWNED, OK, "/etc/x exists"),
        ({"owner": "0", "group": "42"}, OWNED, OK, "/etc/x exists"),
        ({"owner": "etcd"}, OWNED, CRITICAL, "owner of /etc/x is root, expected etcd"),
        ({"owner": "root"}, NAMELESS, CRITICAL, "owner of /etc/x is 1234, expected root"),
        ({"owner": "1234"}, NAMELESS, OK, "/etc/x exists"),
        ({"owner": "root"}, file(unseen={"owners": "it broke"}), UNKNOWN, "owner of /etc/x could not be seen: it"),
        ({"owner": 0, "group": "42"}, file(unseen={"owners": "it broke"}, gid=42), OK, "/etc/x exists"),
        ({"owner": "7"}, file(unseen={"owners": "it broke"}), CRITICAL, "owner of /etc/x is 0, expected 7"),
        ({"size": "> 4KiB"}, file(), CRITICAL, "size of /etc/x is 2.0KiB, expected > 4KiB"),
        ({"age": "< 2h"}, file(), OK, "/etc/x exists"),
        ({"age": "< 30m"}, file(), CRITICAL, "age of /etc/x is 60m, expected < 30m"),
        ({"age": "> 1d"}, file(modified=0), OK, "/etc/x exists"),
        ({"target": "y"}, file(link="y"), OK, "/etc/x exists"),
        ({"target": "/etc/y"}, file(link="y"), OK, "/etc/x exists"),
        ({"target": "/usr/y"}, file(link="./.././usr/y"), OK, "/etc/x exists"),
        ({"target": "z"}, file(link="y"), CRITICAL, "target of /etc/x is y, expected z"),
        ({"target": "z"}, file(), CRITICAL, "/etc/x is no link, but a file, expected target z"),
        ({"checksum": SUM}, file(sha256="ab" * 32), OK, "/etc/x exists"),
        ({"checksum": SUM}, file(sha256="cd" * 32), CRITICAL, f"is {OTHER_SUM}, expected {SUM}"),
        ({"checksum": SUM}, file(unseen={"sha256": "it is long"}), UNKNOWN, "could not be seen: it is long"),
        ({"checksum": SUM}, file(kind="directory"), CRITICAL, "/etc/x is no file, but a directory, expected checksum"),
        ({"listening": True}, SOCKET, OK, "/etc/x exists"),
        ({"listening": False}, SOCKET, CRITICAL, "/etc/x is a socket on which somebody listens"),
        ({"listening": True}, SOCKET | {"listening": "no"}, CRITICAL, "/etc/x is a socket on which nobody listens"),
        ({"listening": False}, SOCKET | {"listening": "no"}, OK, "/etc/x exists"),
        ({"listening": True}, SOCKET | {"listening": "full"}, CRITICAL, "takes no connections: too many wait already"),
        ({"listening": False}, SOCKET | {"listening": "full"}, CRITICAL, "takes no connections"),
        ({"listening": True}, file(kind="directory"), CRITICAL, "/etc/x is no socket, but a directory"),
        ({"listening": True}, file(kind="socket", unseen={"listening": "Permission denied"}), UNKNOWN, "Permission"),
    ],
)  # fmt: skip
def test_verdicts(arguments: dict[str, Any], found: dict[str, Any] | None, status: Status, message: str) -> None:
    arguments = {"path": "/etc/x"} | arguments
    made = seen(arguments, *([found] if found else []))
    assert status == status_of(make("file", **arguments), made)
    assert message in told(make("file", **arguments), made)


class TestContent:
    @pytest.mark.parametrize(
        ("arguments", "found", "status", "message"),
        [
            ({"content": "Linux"}, file(text="Linux\n"), OK, "/etc/x exists"),
            ({"content": "/second$/"}, TWO_LINES, OK, "/etc/x exists"),
            ({"content": "/third/"}, TWO_LINES, CRITICAL, "content of /etc/x is 2 lines, expected /third/"),
            ({"content": "2"}, file(text="1\n", mode=0o644), CRITICAL, 'content of /etc/x is "1", expected 2'),
            ({"content": "2"}, file(text="1\n", mode=0o640), CRITICAL, "content of /etc/x is 1 line, expected 2"),
            ({"lines": "first = 1"}, TWO_LINES, OK, "/etc/x exists"),
            ({"lines": "  second"}, TWO_LINES, CRITICAL, "/etc/x has 2 lines, and not those wanted, expected lines"),
            ({"lines": "/^first$/"}, TWO_LINES, CRITICAL, "/etc/x has 2 lines, and not those wanted"),
            ({"lines": r"/^\s+second$/"}, TWO_LINES, OK, "/etc/x exists"),
            ({"lines": "!= /second/"}, TWO_LINES, CRITICAL, "/etc/x has lines that are not wanted: 2, expected"),
            ({"lines": {"not": ["/i/", "/z/"]}}, TWO_LINES, CRITICAL, "/etc/x has lines that are not wanted: 1, exp"),
            ({"lines": "!= /third/"}, TWO_LINES, OK, "/etc/x exists"),
            ({"lines": {"all": ["first = 1", "/sec/"]}}, TWO_LINES, OK, "/etc/x exists"),
            ({"lines": {"all": ["first = 1", "/third/"]}}, TWO_LINES, CRITICAL, "has 2 lines, and not /third/, exp"),
            ({"lines": "x"}, file(text=""), CRITICAL, "/etc/x has 0 lines, and not those wanted"),
            ({"lines": "!= x"}, file(text=""), OK, "/etc/x exists"),
            ({"lines": "x"}, file(kind="directory"), CRITICAL, "/etc/x is no file, but a directory"),
            ({"lines": "x"}, file(unseen={"text": "it is long"}), UNKNOWN, "lines of /etc/x could not be seen"),
            ({"content": "x"}, file(text="a: <masked>"), UNKNOWN, "the record does not tell its secrets"),
        ],
    )  # fmt: skip
    def test_verdicts(self, arguments: dict[str, Any], found: dict[str, Any], status: Status, message: str) -> None:
        test_verdicts(arguments, found, status, message)

    def test_a_secret_that_everybody_may_read_is_told_to_nobody(self) -> None:
        arguments = {"path": "/etc/x", "content": "x"}
        made = seen(arguments, file(text="password=hunter2\n", mode=0o644))
        assert "hunter2" not in told(make("file", **arguments), made)

    def test_no_long_content_is_told(self) -> None:
        arguments = {"path": "/etc/x", "content": "x", "lines": "x"}
        made = seen(arguments, file(text="hunter2 " * 10, mode=0o644))
        assert not [finding for finding in judge(make("file", **arguments), made) if "hunter2" in str(finding)]


class TestPattern:
    PATH = "/etc/m/*"

    @pytest.mark.parametrize(
        ("arguments", "names", "status", "message"),
        [
            ({}, ["a"], OK, "1 fit /etc/m/*"),
            ({}, [], CRITICAL, "nothing fits /etc/m/*"),
            ({"state": "absent"}, [], OK, "nothing fits /etc/m/*"),
            ({"state": "absent"}, ["a", "b"], CRITICAL, "2 fit /etc/m/*: /etc/m/a, /etc/m/b, expected nothing"),
            ({"count": 0}, [], OK, "0 fit /etc/m/*"),
            ({"count": "<= 4"}, [], OK, "0 fit /etc/m/*"),
            ({"count": "4"}, ["a", "b"], CRITICAL, "2 fit /etc/m/*, expected 4: /etc/m/a, /etc/m/b"),
            ({"names": r"/\.yaml$/"}, ["a.yaml", "b.yaml"], OK, "2 fit /etc/m/*"),
            (
                {"names": r"/\.yaml$/"}, ["a.yaml", "etcd.yaml.bak", "c.old"], CRITICAL,
                r"name of 2 of 3 of /etc/m/* not as expected, /\.yaml$/: etcd.yaml.bak, c.old",
            ),
            (
                {"count": 7}, list("abcdef"), CRITICAL,
                "6 fit /etc/m/*, expected 7: /etc/m/a, /etc/m/b, /etc/m/c, /etc/m/d, /etc/m/e and 1 more",
            ),
        ],
    )  # fmt: skip
    def test_how_many_there_are_and_what_they_are_called(
        self, arguments: dict[str, Any], names: list[str], status: Status, message: str
    ) -> None:
        arguments = {"path": self.PATH} | arguments
        made = seen(arguments, *(file(f"/etc/m/{name}") for name in names))
        assert status == status_of(make("file", **arguments), made)
        assert message in told(make("file", **arguments), made)

    def test_those_that_are_not_as_wanted_are_named(self) -> None:
        arguments = {"path": self.PATH, "mode_at_most": "0640"}
        made = seen(arguments, file("/etc/m/a"), file("/etc/m/b", mode=0o644), DANGLING | {"path": "/etc/m/c"})
        expected = (
            "mode of 2 of 3 of /etc/m/* not as expected, at most 0640: "
            "b (0644), c (is a link to ../y, which does not exist)"
        )
        assert expected == told(make("file", **arguments), made)

    def test_one_that_could_not_be_seen_makes_it_unknown_and_one_that_is_wrong_critical(self) -> None:
        arguments = {"path": self.PATH, "lines": "x"}
        unseen, wrong = file("/etc/m/a", unseen={"text": "Permission denied"}), file("/etc/m/b", text="y")
        good = file("/etc/m/c", text="x")
        check = make("file", **arguments)
        assert status_of(check, seen(arguments, unseen, good)) is UNKNOWN
        assert status_of(check, seen(arguments, unseen, good, wrong)) is CRITICAL
        assert told(check, seen(arguments, unseen, good)) == (
            "lines of 1 of 2 of /etc/m/* could not be seen: a (Permission denied)"
        )

    def test_of_more_than_are_looked_at_only_the_number_is_known(self) -> None:
        few = [file(f"/etc/m/{number}") for number in range(3)]
        counted, judged = {"path": self.PATH, "count": "< 5000"}, {"path": self.PATH, "mode": "0640"}
        assert status_of(make("file", **counted), seen(counted, *few, count=4000)) is OK
        assert status_of(make("file", **judged), seen(judged, *few, count=4000)) is UNKNOWN


@pytest.mark.parametrize(
    ("wanted", "found", "word", "observed"),
    [
        ({"kind": "file"}, file(), "kind", "file"),
        ({"mode": "0640"}, file(), "mode", "0640"),
        ({"mode_at_most": "0640"}, file(), "mode", "0640"),
        ({"owner": "root"}, OWNED, "owner", "root"),
        ({"group": "shadow"}, OWNED, "group", "shadow"),
        ({"size": "> 1KiB"}, file(), "size", "2.0KiB"),
        ({"age": "> 1m"}, file(), "age", "1h"),
        ({"target": "y"}, file(link="y"), "target", "y"),
        ({"content": "x"}, file(text="x\n"), "content", "1 line"),
        ({"checksum": SUM}, file(sha256="ab" * 32), "checksum", SUM),
        ({"listening": True}, SOCKET, "listening", "True"),
        ({"listening": False}, SOCKET | {"listening": "no"}, "listening", "False"),
    ],
)
def test_the_finding_of_a_property_says_what_was_seen(
    wanted: dict[str, Any], found: dict[str, Any], word: str, observed: str
) -> None:
    arguments = {"path": "/etc/x"} | wanted
    finding = judge(make("file", **arguments), seen(arguments, found))[-1]

    assert (finding.property, finding.status, str(finding.observed)) == (next(iter(wanted)), OK, observed)
    assert finding.message == f"{word} of /etc/x is {observed}"


def test_of_a_pattern_the_first_may_lead_nowhere_and_the_others_are_judged() -> None:
    arguments = {"path": "/etc/m/*", "mode": "0600"}
    made = seen(arguments, DANGLING | {"path": "/etc/m/a"}, file("/etc/m/b"))

    assert statuses(make("file", **arguments), made) == {"state": OK, "mode": CRITICAL}
    assert statuses(make("file", path="/etc/m/*"), made) == {"state": OK}


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        ({"mode": "0600"}, DANGLING, {"state": CRITICAL}),
        ({"kind": "link", "mode": "0600"}, DANGLING, {"state": OK, "kind": OK, "mode": CRITICAL}),
        ({"kind": "link", "target": "z"}, DANGLING, {"state": OK, "kind": OK, "target": CRITICAL}),
        ({"kind": "file"}, None, {"state": CRITICAL}),
    ],
)
def test_of_what_is_not_there_nothing_else_is_judged(
    wanted: dict[str, str], found: dict[str, Any] | None, expected: dict[str, Status]
) -> None:
    arguments = {"path": "/etc/x"} | wanted
    assert expected == statuses(make("file", **arguments), seen(arguments, *([found] if found else [])))


def test_a_link_that_leads_nowhere_is_not_absent() -> None:
    (finding,) = judge(make("file", path="/etc/x", state="absent"), seen({"path": "/etc/x"}, DANGLING))
    assert (finding.status, finding.observed) == (CRITICAL, "a link to ../y, which does not exist")


@pytest.mark.parametrize("wanted", [{"owner": "root"}, {"lines": "x"}, {"content": "x"}, {"checksum": SUM}])
def test_what_a_record_does_not_hold_of_a_file_is_unknown(wanted: dict[str, str]) -> None:
    arguments = {"path": "/etc/x"} | wanted
    assert status_of(make("file", **arguments), seen(arguments, file())) is UNKNOWN


def test_a_path_that_hangs_is_unknown() -> None:
    made = node()
    made.observed.windows = {"file": {"/etc/x": dark("it hangs", "file /etc/x", broken=True)}}
    assert status_of(make("file", path="/etc/x"), made) is UNKNOWN


def test_what_goes_together_is_no_mistake() -> None:
    for arguments in ({"path": "/x", "state": "absent"}, {"path": "/x/*", "count": 1, "mode_at_most": "640"}):
        assert [*make("file", **arguments).mistakes()] == []


def test_only_what_is_asked_for_is_looked_at() -> None:
    assert [PathWant("/x", ("owners",))] == [*make("file", path="/x", group="root").wants()]
    assert [PathWant("/x", ("text",))] == [*make("file", path="/x", content="x").wants()]
    arguments: dict[str, Any] = {"path": "/x", "owner": "root", "lines": "x", "checksum": SUM, "listening": True}
    assert [PathWant("/x")] == [*make("file", path="/x", mode="0600", size="> 1B").wants()]
    assert [PathWant("/x", ("owners", "text", "sha256", "listening"))] == [*make("file", **arguments).wants()]


def test_each_property_is_a_finding_of_its_own() -> None:
    arguments = {"path": "/etc/x", "mode": "0640", "mode_at_most": "0600", "kind": "file", "size": "> 1B"}
    expected = {"state": OK, "mode": OK, "mode_at_most": CRITICAL, "kind": OK, "size": OK}
    assert expected == statuses(make("file", **arguments), seen(arguments, file()))


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"path": "x"}, "path"),
        ({"path": "/a/**/x"}, "path"),
        ({"path": "/x", "state": "absent", "mode": "0600"}, "state"),
        ({"path": "/x", "count": 1}, "count"),
        ({"path": "/x", "mode_at_most": "rw"}, "mode_at_most"),
        ({"path": "/x", "mode_at_most": "0888"}, "mode_at_most"),
        ({"path": "/x", "mode_at_most": "00640"}, "mode_at_most"),
        ({"path": "/x", "checksum": f"x{SUM}"}, "checksum"),
        ({"path": "/x", "checksum": "abc"}, "checksum"),
        ({"path": "/x", "checksum": [SUM, "sha256:00"]}, "checksum"),
    ],
)
def test_mistakes_are_told(arguments: dict[str, Any], argument: str) -> None:
    assert [argument] == [mistake[0] for mistake in make("file", **arguments).mistakes()]


def test_checksums_may_be_several_or_unwanted() -> None:
    for wanted in (SUM, [SUM, OTHER_SUM], {"not": [SUM]}, f"!= {SUM}", f"!= {SUM} "):
        assert [*make("file", path="/x", checksum=wanted).mistakes()] == []
