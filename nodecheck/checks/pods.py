"""The pods of this node, seen without the API server: are they all there, and do they run?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from nodecheck.checks._ladder import Rung, counted, judge_each, judge_rungs, path_mistakes, things, why_no_pattern
from nodecheck.checks.base import Check, arg
from nodecheck.definitions.expectation import Number, Text
from nodecheck.durations import format_duration
from nodecheck.node.windows.pods import PodsWant
from nodecheck.report.result import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.node.node import Node, Want

Pod = dict[str, Any]
Container = dict[str, Any]
AT_LEAST_ONE = Number(">= 1")
DOWN = "is to run, and its sandbox is down: it does not come up again, or is being ended"
AGAIN = "has a new sandbox, and there has not been started again"
ENDING = "it is about to be started again, or its pod is being deleted"
GRACE_SECONDS = 30  # terminationGracePeriodSeconds: so long the containers of a pod that is deleted may take to end
SETTLED_SECONDS = 10  # the shortest that the kubelet waits before it restarts a container once more
RUNGS = {
    "connect": Rung("accepts connections", "cannot be connected to"),
    "ping": Rung("answers _ping", "does not answer _ping", "dockerd hangs, or is stopped"),
    "version": Rung("tells its version", "does not tell its version", "the runtime hangs, or is stopped"),
    "pods": Rung("lists its pods", "does not list its pods"),
    "containers": Rung("lists its containers", "does not list its containers"),
    "images": Rung("lists its images", "does not list its images"),
    "exits": Rung("tells how containers ended", "does not tell how a container ended"),
}


class Pods(Check):
    """The pods of this node run with all their containers, as Docker or the CRI tell, without the API server."""

    name: str = arg("Select by the pod's name, or /a regular expression/.", default=None)
    namespace: str = arg("Select by namespace: its name, or /a regular expression/.", default=None)
    static: bool = arg(
        "Select static pods, which the kubelet makes from manifests. Then each manifest has to have its pod, with all "
        "its containers running, and no two may hold the same pod: the kubelet reads every file there, also a "
        "leftover such as etcd.yaml.backup.",
        default=False,
    )
    manifests: str = arg("Folder of the manifests of static pods.", default="/etc/kubernetes/manifests")
    count: Number = arg(
        "How many such pods there are on this node, ended ones left out. At least one, unless static is given.",
        default=None,
    )
    restarts: Number = arg(
        "How often the kubelet has restarted each container of these pods since the pod was made. Without it, too, one "
        "that was restarted less than 10 s ago is a warning: it may be about to end again. So is one that ended for "
        "the first time, less than 30 s ago: its pod may be being deleted.",
        default=None,
    )
    image: Text = arg("Image of each container: one of its tags and digests.", default=None)
    socket: str = arg(
        "Path of a socket: of Docker where it is called docker.sock, else of a CRI. Without it, the one that the "
        "kubelet uses is found out.",
        default=None,
    )

    EXAMPLE: ClassVar[str] = """\
- name: The control plane's static pods run
  pods: {static: true, namespace: kube-system, count: 4}
"""

    def mistakes(self) -> Iterator[tuple[str, str, str]]:
        """A selector is a name or a regular expression, and a path is whole."""
        yield from path_mistakes("socket", self.socket)
        yield from path_mistakes("manifests", self.manifests)
        for argument in ("name", "namespace"):
            if wrong := why_no_pattern(getattr(self, argument)):
                yield argument, wrong, "a name, or /a regular expression/"

    def wants(self) -> Iterator[Want]:
        """All pods in one look, whatever is selected."""
        yield self._want

    def judge(self, node: Node) -> Iterator[Finding]:
        """From the first rung to the last, then the manifests, then the pods."""
        seen = node.look(self._want)
        called = f"the container runtime on {seen['socket']}" if seen["socket"] else "the container runtime"
        yield judge_rungs(called, RUNGS, seen, remedy="systemctl status docker.service containerd.service")
        if seen["pods"] is None:
            return
        if self.static:
            yield self._judge_static(seen["manifests"], seen["pods"])
        pods = [pod for pod in seen["pods"] if self._is_meant(pod)]
        here = [pod for pod in pods if not _has_ended(pod)]
        wanted = self.count if self.count is not None or self.static else AT_LEAST_ONE
        if wanted is not None:
            yield self._judge_count(here, len(pods) - len(here), wanted)
        if here:
            yield _judge_ready(here, node.observed.clocks["realtime"])
        yield from self._judge_containers(here)

    @property
    def _want(self) -> PodsWant:
        return PodsWant(self.socket or "", self.manifests if self.static else "", self.image is not None)

    def _is_meant(self, pod: Pod) -> bool:
        selectors = ((self.name, pod["name"]), (self.namespace, pod["namespace"]))
        fit = all(selector is None or Text(selector).matches(text) for selector, text in selectors)
        return fit and (pod["static"] or not self.static)

    # ---- manifests

    def _judge_static(self, manifests: list[dict[str, Any]] | None, pods: list[Pod]) -> Finding:
        if not manifests:
            lack = "there is no folder" if manifests is None else "there is no manifest in"
            return Finding("static", Status.CRITICAL, True, False, f"{lack} {self.manifests}")
        wrong = [*_unusable(manifests), *_twice(manifests), *_without_pod(manifests, pods)]
        if wrong:
            message = f"in {self.manifests} {'; '.join(wrong)}"
            return Finding("static", Status.CRITICAL, True, False, message)
        message = f"each of the {len(manifests)} manifests in {self.manifests} has its pod: {things(_names(manifests))}"
        return Finding("static", Status.OK, True, True, message)

    # ---- pods

    def _judge_count(self, pods: list[Pod], ended: int, wanted: Number) -> Finding:
        found = len(pods)
        names = things([_called(pod) for pod in pods])
        message = f"there {counted(found, 'pod')}{self._chosen} on this node{f': {names}' if found else ''}"
        matched = wanted.matches(found)
        if not matched:
            message += (f" ({ended} ended)" if ended else "") + f"; expected {wanted}"
        return Finding("count", Status.OK if matched else Status.CRITICAL, str(wanted), found, message)

    @property
    def _chosen(self) -> str:
        chosen = [f" {self.name}"] if self.name is not None else []
        chosen += [" of manifests"] if self.static else []
        chosen += [f" in the namespace {self.namespace}"] if self.namespace is not None else []
        return "".join(chosen)

    def _judge_containers(self, pods: list[Pod]) -> Iterator[Finding]:
        each = [(f"{_called(pod)} {container['name']}", container) for pod in pods for container in pod["containers"]]
        if self.restarts is not None:
            seen = [(called, container["restarts"], _exit(container)) for called, container in each]
            yield from judge_each("restarts", self.restarts, seen)
        if self.image is not None:
            images = [(called, tuple(container["images"]), "") for called, container in each]
            yield from judge_each("image", self.image, images)


def _called(pod: Pod) -> str:
    return f"{pod['namespace']}/{pod['name']}"


def _names(manifests: list[dict[str, Any]]) -> list[str]:
    return [_called(manifest) for manifest in manifests]


def _has_ended(pod: Pod) -> bool:
    """A pod whose sandbox is gone and whose containers are over; one without any was never begun, where nobody knows.

    After a reboot it looks the same until it has a new sandbox, and then it still has its control group. One that was
    deleted has none: the kubelet takes its containers away first, and its sandbox within a minute.
    """
    to_run = pod.get("to_run")
    return not pod["sandbox_ready"] and (to_run is False or (_is_down(pod) and not to_run))


def _is_down(pod: Pod) -> bool:
    return not pod["sandbox_ready"] and bool(pod["containers"])


def _judge_ready(pods: list[Pod], now: float) -> Finding:
    wrong = [f"{_called(pod)} is not ready: {why}" for pod in pods if (why := _why_not_ready(pod, now))]
    if wrong:
        return Finding("ready", Status.CRITICAL, True, False, things(wrong, "; "))
    down = [f"{_called(pod)} {DOWN}" for pod in pods if _is_down(pod)]
    if down:
        return Finding("ready", Status.WARNING, True, False, things(down, "; "), rule="down")
    waiting = [f"{_called(pod)} {AGAIN}: {', '.join(names)}" for pod in pods if (names := _not_started_again(pod))]
    if waiting:
        return Finding("ready", Status.WARNING, True, False, things(waiting, "; "), rule="again")
    ended = [f"{_called(pod)}: {told}" for pod in pods for told in _just_ended(pod, now)]
    if ended:
        return Finding("ready", Status.WARNING, True, False, things(ended, "; "), rule="ended")
    again = [f"{_called(pod)}: {told}" for pod in pods for told in _just_restarted(pod, now)]
    if again:
        return Finding("ready", Status.WARNING, True, False, things(again, "; "), rule="restarted")
    return Finding("ready", Status.OK, True, True, f"all containers run of {things([_called(pod) for pod in pods])}")


def _why_not_ready(pod: Pod, now: float) -> str:
    """Return why not, "" for a pod that is ready. A container that ended well at once has done what it was for."""
    if _is_down(pod):
        return ""
    if not pod["sandbox_ready"]:
        return "its sandbox does not come up"
    if not pod["containers"]:
        return "it has no container yet"
    running = _running(pod)
    ended = [each for each in pod["containers"] if each not in running and not _is_done(each, running)]
    down = [each for each in ended if not (running and each.get("earlier")) and not _is_ending(each, now)]
    told = [f"container {each['name']} is {each['state']}{_in_brackets(_how(each))}" for each in down]
    # The kubelet takes the sandbox of a pod away that has done its work: in one that is there, something is to come.
    is_under_way = running or any(_is_ending(each, now) for each in pod["containers"])
    return ", ".join(told) or ("" if is_under_way else "none of its containers runs")


def _running(pod: Pod) -> list[Container]:
    return [each for each in pod["containers"] if each["state"] == "running"]


def _not_started_again(pod: Pod) -> list[str]:
    """Return what ran in an earlier sandbox: after a reboot, it waits until init containers have ended once more."""
    running = _running(pod)
    earlier = [each for each in pod["containers"] if each not in running and each.get("earlier")]
    return [f"container {each['name']}" for each in earlier if running and not _is_done(each, running)]


def _just_ended(pod: Pod, now: float) -> Iterator[str]:
    running = _running(pod)
    for each in pod["containers"]:
        if _is_ending(each, now) and not (running and _is_done(each, running)):
            ago = format_duration(now - each["ended"])
            yield f"container {each['name']} ended {ago} ago{_in_brackets(_how(each))}: {ENDING}"


def _is_ending(container: Container, now: float) -> bool:
    """Tell whether it ended just now, for the first time: it is started again at once, unless its pod is deleted."""
    ended = container.get("ended")
    return ended is not None and not container["restarts"] and 0 <= now - ended < GRACE_SECONDS


def _just_restarted(pod: Pod, now: float) -> Iterator[str]:
    """Yield what runs again and may be about to end again: a look between two crashes does not find it well."""
    for each in pod["containers"]:
        age = now - each.get("created", 0.0)
        if each["state"] == "running" and each["restarts"] and 0 <= age < SETTLED_SECONDS:
            yield f"container {each['name']} was restarted {format_duration(age)} ago{_in_brackets(_how(each))}"


def _is_done(container: Container, running: list[Container]) -> bool:
    """What ends well and was never restarted prepared the pod (an init container), or is a job's.

    After a reboot init containers are started once more; what follows them is newer. One that ends for ever is not.
    """
    ended_well = (container["state"], container["exit_code"]) == ("exited", 0)
    came_before = any(container.get("created", 0) < each.get("created", 0) for each in running)
    return ended_well and (not container["restarts"] or came_before)


def _how(container: Container) -> str:
    notes = [_exit(container), f"restarts: {container['restarts']}" if container["restarts"] else ""]
    return ", ".join(filter(None, notes))


def _exit(container: Container) -> str:
    return "" if container["exit_code"] is None else f"exit code {container['exit_code']}"


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""


# ---- manifests


def _unusable(manifests: list[dict[str, Any]]) -> Iterator[str]:
    for manifest in manifests:
        if manifest["problem"]:
            yield f"the kubelet cannot use {manifest['file']}: {manifest['problem']}"


def _twice(manifests: list[dict[str, Any]]) -> Iterator[str]:
    files: dict[str, list[str]] = {}
    for manifest in manifests:
        if not manifest["problem"]:
            files.setdefault(_called(manifest), []).append(manifest["file"])
    for name, found in files.items():
        if len(found) > 1:
            yield f"{' and '.join(found)} hold the same pod {name}: the kubelet reads them all, and any may win"


def _without_pod(manifests: list[dict[str, Any]], pods: list[Pod]) -> Iterator[str]:
    """The kubelet names a static pod by the manifest and the node: etcd-cp1."""
    usable = {_called(manifest): manifest for manifest in manifests if not manifest["problem"]}
    static = [pod for pod in pods if pod["static"] and not _has_ended(pod)]
    for name, manifest in usable.items():
        found = [pod for pod in static if name == _manifest_of(pod, list(usable))]
        if not found:
            yield f"{manifest['file']} has no pod that runs on this node"
        elif missing := [each for each in manifest["containers"] if not any(_runs(each, pod) for pod in found)]:
            yield f"{manifest['file']} has a pod whose container {', '.join(missing)} does not run"


def _manifest_of(pod: Pod, names: list[str]) -> str:
    return max((name for name in names if _called(pod).startswith(f"{name}-")), key=len, default="")


def _runs(container: str, pod: Pod) -> bool:
    return any(each["name"] == container and each["state"] == "running" for each in pod["containers"])
