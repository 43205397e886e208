"""The page about what nodecheck finds out about a node by itself: groups and facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodecheck.cli.markdown import section, table
from nodecheck.node import facts
from nodecheck.node.facts import HOST_PARTS
from nodecheck.node.groups import DERIVED, EVIDENCE, LEFT_BEHIND, MORE_EVIDENCE, UNIT_FOLDERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

USE = """\
`nodecheck facts` shows the groups and facts of this node, and where each comes from.
In definitions they are the variables `groups` and `facts`: `{{ facts.kubelet.port }}`, `when: "'docker' in groups"`.
`hosts:` of a play takes patterns of groups: `kubelet`, `docker:!control_plane`.
A subject is known on nodes of its group.
Elsewhere, and where a fact cannot be found out (root alone may read a file), what is written with it is `unknown`."""

MALFORMED = {
    "malformed": "of each subject below, what is wrong where its file does not hold what it should, else nothing"
}


def facts_page() -> Iterator[str]:
    """Yield the page about facts and groups."""
    yield "# facts"
    yield ""
    yield from USE.splitlines()
    yield from section("Groups", table(("group", "this node is in it when one of these is so, or there"), _groups()))
    yield from section("Facts of every node", _parts("facts", HOST_PARTS | MALFORMED))
    for name in facts.subjects():
        subject = facts.subject_named(name)
        yield from section(f"{name}, on nodes of the group {subject.GROUP}", _parts(f"facts.{name}", subject.PARTS))


def _parts(of: str, parts: Mapping[str, str]) -> Iterator[str]:
    return table(("fact", ""), ((f"`{of}.{part}`", text) for part, text in parts.items()))


def _groups() -> Iterator[tuple[str, str]]:
    for group, text in DERIVED.items():
        yield f"`{group}`", text
    for group, paths in EVIDENCE.items():
        more = [MORE_EVIDENCE[group]] if group in MORE_EVIDENCE else []
        yield f"`{group}`", ", ".join([*dict.fromkeys(map(_in_words, paths)), *more])


def _in_words(path: str) -> str:
    """A unit that is enabled, or installed, has several places for the link or file that says so."""
    folder, _, name = path.rpartition("/")
    if folder.endswith((".wants", ".requires")):
        return f"{name} is enabled"
    if path == LEFT_BEHIND:
        gone_over = "there is a kubelet, k3s, RKE2 or a rootless Docker: it may have gone over to that"
        return f"`{path}` unless Docker has no unit here (it was removed), or {gone_over}"
    return f"{name} is installed" if folder in UNIT_FOLDERS else f"`{path}`"
