"""Packages: installed, in which version, and how far from others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks._package_versions import Version, compare, parse
from nodecheck.checks.base import Check, Words, arg, judge_expectation
from nodecheck.node.unobserved import Unobserved
from nodecheck.node.windows.package import PackageWant
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.expectation import Number, Text
    from nodecheck.node.node import Node, Want

# dpkg's states (dpkg(1)) of a package whose files are all there and set up; triggers are other packages' affairs.
INSTALLED = ("installed", "triggers-awaited", "triggers-pending")
ABSENT = ("not-installed", "config-files", "")


class Package(Check):
    """A package is installed, in a version as wanted, and in step with others; or it is not installed."""

    name: str = arg("Name of the package, as dpkg or rpm has it.")
    installed: bool = arg("Whether it has to be installed, or must not be.", default=True)
    version: Text = arg("Its whole version, such as 1.20.2-00 or /^1\\.20\\./.", default=None)
    at_least: str = arg(
        "Version that it must not be older than, by the rules of dpkg or rpm. An epoch and a revision count only where "
        "they are written here. Of several versions side by side, as of kernels, the newest counts.",
        default=None,
    )
    older_than: str = arg("Version that it has to be older than, by the same rules.", default=None)
    same_version: Words = arg("Packages that have to have the same version, but for epoch and revision.", default=None)
    skew_with: Words = arg("Packages whose minor versions are compared with its own, for skew.", default=None)
    skew: Number = arg(
        "How many minor versions it may be apart from those of skew_with; at most 1, when left out.", default=None
    )
    held: bool = arg("Whether it has to be held at its version (apt-mark hold). dpkg only.", default=None)

    EXAMPLE: ClassVar[str] = """\
- name: The kubelet is in step with kubeadm
  package: {name: kubelet, at_least: "1.20", same_version: [kubeadm, kubectl], held: true}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """Names are names, versions are versions, and what must not be there has no properties."""
        yield from self._mistaken_names()
        for argument in ("at_least", "older_than"):
            if (bound := getattr(self, argument)) is not None and parse(bound) is None:
                yield argument, f"{bound!r} is no version", "such as 1.20.2 or 5:20.10.7-1"
        if self.skew is not None and self.skew_with is None:
            yield "skew", "there is nothing to compare with", "name packages with skew_with"
        properties = (self.version, self.at_least, self.older_than, self.same_version, self.skew_with, self.held)
        if not self.installed and any(value is not None for value in properties):
            yield "installed", "a package that must not be installed has no other properties", ""

    def _mistaken_names(self) -> Iterator[tuple[str, str, str]]:
        """`dpkg -l` prints name:architecture where several may be installed; no package's own name has a colon."""
        for argument in ("name", "same_version", "skew_with"):
            value = getattr(self, argument) or ()
            for name in (value,) if isinstance(value, str) else value:
                if ":" in name:
                    yield argument, f"{name!r} names an architecture too", f"write {name.partition(':')[0]}"

    def wants(self) -> Iterator[Want]:
        """The package, and those that it is compared with."""
        yield self._want

    @property
    def _want(self) -> PackageWant:
        names = (self.name, *(self.same_version or ()), *(self.skew_with or ()))
        return PackageWant(tuple(dict.fromkeys(names)))

    def judge(self, node: Node) -> Iterator[Finding]:
        """From the first rung to the last: installed, its version, and the others'."""
        seen = node.look(self._want)
        packages = _installed(self.name, seen)
        yield self._judge_installed(packages)
        if not self.installed or not packages:
            return
        newest = _newest(self.name, seen["manager"], packages)
        for package in newest:
            yield from judge_expectation("version", self.version, package["version"], subject=self.name)
            yield from self._judge_bounds(seen["manager"], package["version"])
            if self.held is not None:
                yield _judge_held(self.name, package, self.held)
        mine = newest[-1]["version"]
        for other in self.same_version or ():
            yield self._judge_same(mine, other, _version_of(other, seen))
        for other in self.skew_with or ():
            yield self._judge_skew(mine, other, _version_of(other, seen))

    def _judge_installed(self, packages: list[dict[str, Any]]) -> Finding:
        halfway = [package for package in packages if package["state"] not in INSTALLED or package["broken"]]
        versions = ", ".join(package["version"] for package in packages)
        if not packages:
            status = Status.CRITICAL if self.installed else Status.OK
            return Finding("installed", status, self.installed, False, f"{self.name} is not installed")
        if halfway and self.installed:
            state = "in need of a new installation" if halfway[0]["broken"] else halfway[0]["state"]
            message = f"{self.name} {halfway[0]['version']} is {state}: its installation did not come to its end"
            return Finding("installed", Status.CRITICAL, True, state, message, remedy="dpkg --audit tells what to do")
        status = Status.OK if self.installed else Status.CRITICAL
        return Finding("installed", status, self.installed, True, f"{self.name} {versions} is installed")

    def _judge_bounds(self, manager: str, version: str) -> Iterator[Finding]:
        for name, text in (("at_least", self.at_least), ("older_than", self.older_than)):
            if text is not None:
                bound = parse(text)
                assert bound is not None  # noqa: S101  # see mistakes
                older = compare(manager, _parsed(self.name, version), bound) < 0
                good = older == (name == "older_than")
                message = f"version of {self.name} is {version}"
                message += "" if good else f", expected {name.replace('_', ' ')} {text}"
                yield Finding(name, Status.OK if good else Status.CRITICAL, text, version, message)

    def _judge_same(self, mine: str, other: str, version: str) -> Finding:
        if not version:
            return _not_there("same_version", other, mine)
        same = _parsed(self.name, mine).upstream == _parsed(other, version).upstream
        message = f"{self.name} is {mine} and {other} is {version}" + ("" if same else ", expected the same version")
        return Finding("same_version", Status.OK if same else Status.CRITICAL, mine, version, message)

    def _judge_skew(self, mine: str, other: str, version: str) -> Finding:
        if not version:
            return _not_there("skew", other, mine)
        ours, theirs = _parsed(self.name, mine).minor, _parsed(other, version).minor
        if ours is None or theirs is None:
            raise Unobserved(f"package {other}", f"{mine if ours is None else version} has no minor version")
        expected = "<= 1" if self.skew is None else str(self.skew)
        apart = abs(ours[1] - theirs[1])
        near = ours[0] == theirs[0] and (apart <= 1 if self.skew is None else self.skew.matches(apart))
        distance = f"{apart} minor version{'' if apart == 1 else 's'}" if ours[0] == theirs[0] else "a major version"
        message = f"{self.name} {mine} is {distance} apart from {other} {version}"
        message += "" if near else f", expected {expected}"
        return Finding("skew", Status.OK if near else Status.CRITICAL, expected, apart, message)


def _judge_held(name: str, package: dict[str, Any], expected: bool) -> Finding:
    held = package["held"]
    if held is None:
        message = f"whether {name} is held could not be seen: rpm does not know"
        return Finding("held", Status.UNKNOWN, expected, None, message)
    message = f"{name} is {'' if held else 'not '}held" + ("" if held == expected else f", expected {expected}".lower())
    return Finding("held", Status.OK if held == expected else Status.CRITICAL, expected, held, message)


def _not_there(name: str, other: str, mine: str) -> Finding:
    message = f"{other} is not installed, so that its version cannot be compared with {mine}"
    return Finding(name, Status.CRITICAL, mine, "not installed", message)


def _version_of(name: str, seen: dict[str, Any]) -> str:
    """Return the version that is installed; "" when none is."""
    packages = _newest(name, seen["manager"], _installed(name, seen))
    return str(packages[-1]["version"]) if packages else ""


def _newest(name: str, manager: str, packages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the newest of each architecture: rpm keeps several kernels side by side, and the older ones do no harm."""
    newest: dict[str, dict[str, Any]] = {}
    for package in packages:
        other = newest.setdefault(package["architecture"], package)
        bound = _parsed(name, other["version"]) if other is not package else None
        if bound and compare(manager, _parsed(name, package["version"]), bound._replace(epoch=bound.epoch or 0)) > 0:
            newest[package["architecture"]] = package
    return list(newest.values())


def _installed(name: str, seen: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is there of a package. Raises Unobserved when nobody looked: a record may lack it."""
    if name not in seen["packages"]:
        raise Unobserved(f"package {name}", f"whether {name} is installed was not looked at")
    return [package for package in seen["packages"][name] if package["state"] not in ABSENT]


def _parsed(name: str, version: str) -> Version:
    parsed = parse(version)
    if parsed is None:
        raise Unobserved(f"package {name}", f"the version of {name}, {version!r}, cannot be read")
    return parsed
