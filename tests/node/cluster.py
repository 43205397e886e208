"""A real cluster of two nodes: a control plane made by kubeadm init, and a worker that joined it."""

import concurrent.futures
import contextlib
import os
import pathlib
import subprocess
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from .addons import manifests
from .hostside import CLOCK, kernel_settings_kept
from .kubernetes import VERSION
from .kubernetesroot import CONTROL_PLANE_IMAGES, ENTRYPOINTS, IMAGES, WORKER_IMAGES, ensure_kubernetes_root
from .machine import Machine, MachineError
from .podnetwork import CONFIGURATION, Share, script

CONTROL_PLANE = "10.77.0.10"
WORKER = "10.77.0.11"
TOKEN = "abcdef.0123456789abcdef"
READY_SECONDS = 240.0
# kube-proxy may not set the size of the table of connections from inside: the kernel has one for all.
KUBEADM = f"""\
apiVersion: kubeadm.k8s.io/v1beta2
kind: InitConfiguration
bootstrapTokens: [{{token: {TOKEN}}}]
localAPIEndpoint: {{advertiseAddress: {CONTROL_PLANE}}}
nodeRegistration: {{name: control-plane}}
---
apiVersion: kubeadm.k8s.io/v1beta2
kind: ClusterConfiguration
kubernetesVersion: {VERSION}
networking: {{podSubnet: 10.244.0.0/16}}
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
conntrack: {{maxPerCore: 0, min: 0}}
"""
KUBECTL = ("kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "--request-timeout=60s")


class ClusterNode(Machine):
    """A node of the cluster, before kubeadm: its engine runs, and its kubelet waits to be told what it is."""

    writable = "yes"  # the kubelet sets what it wants of the kernel

    def __init__(self, root: pathlib.Path, hostname: str, pods: Share) -> None:
        super().__init__(name=hostname, hostname=hostname, base=root)
        self.pods = pods

    def prepare(self) -> None:
        """Make the node's disk, with what every node of the cluster has."""
        super().prepare()
        hosts = f"127.0.0.1 localhost\n{CONTROL_PLANE} control-plane\n{WORKER} worker\n"
        (self.root / "etc/hosts").write_text(hosts)
        (self.root / "etc/resolv.conf").write_text("# no name server is needed here\n")
        (self.root / "etc/cni/net.d/10-flannel.conflist").write_text(CONFIGURATION)

    def _nspawn_command(self) -> list[str]:
        return [*super()._nspawn_command(), "--bind=/dev/kmsg"]

    def load_images(self, names: tuple[str, ...]) -> None:
        """Give the node's engine what its pods are made of."""
        self.run("sh", "-c", "until docker version >/dev/null 2>&1; do sleep 0.2; done")
        for name in names:
            change = (
                f"ENTRYPOINT {ENTRYPOINTS[name]}"
                if name in ENTRYPOINTS
                else "ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin"
            )
            self.run("docker", "import", "--change", change, f"/opt/images/{name}.tar", IMAGES[name])


class Switch:
    """A network of its own that nodes are plugged into; it is gone with its process, and so with the session."""

    def __init__(self) -> None:
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self._process.pid}/ns/net") == own:
            time.sleep(0.01)
        self._ip("link", "add", "lan", "type", "bridge")
        self._ip("link", "set", "lan", "up")

    def plug(self, node: ClusterNode) -> None:
        """Give the node a network card, called host0 as systemd-nspawn does, with its address."""
        port = node.name[-15:]
        veth = ["type", "veth", "peer", "name", port, "netns", str(self._process.pid)]
        must("ip", "link", "add", "host0", "netns", str(node.leader), *veth)
        self._ip("link", "set", port, "master", "lan", "up")
        node.run("ip", "address", "add", f"{node.pods.address}/24", "dev", "host0")
        node.run("ip", "link", "set", "host0", "up")
        node.run("ip", "route", "add", "default", "dev", "host0")

    def _ip(self, *arguments: str) -> None:
        must("nsenter", "--target", str(self._process.pid), "--net", "ip", *arguments)

    def close(self) -> None:
        """Pull all plugs."""
        self._process.kill()
        self._process.wait()


def must(*argv: str) -> None:
    """Run a command on this host."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MachineError(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr}")


class Cluster:
    """The control plane and the worker. A context manager: both run inside, and are gone afterwards."""

    def __init__(self, checkout: pathlib.Path, say: Callable[[str], None]) -> None:
        self._checkout = checkout
        self._say = say
        self._undo = contextlib.ExitStack()
        self._kernel = contextlib.ExitStack()
        self.control_plane: ClusterNode
        self.worker: ClusterNode

    def __enter__(self) -> Self:
        try:
            self._kernel.enter_context(kernel_settings_kept())
            self.boot()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Power both nodes off, and leave this host's kernel as it was."""
        self._undo.close()
        self._kernel.close()

    def reboot(self) -> None:
        """Forget both nodes, and make them anew."""
        self._undo.close()
        self.boot()

    @property
    def nodes(self) -> tuple[ClusterNode, ClusterNode]:
        """Both nodes."""
        return self.control_plane, self.worker

    def boot(self) -> None:
        """Boot both nodes, make them a cluster, and wait until all of it is there."""
        root = ensure_kubernetes_root(self._say)
        started = time.monotonic()
        self.control_plane = ClusterNode(root, "control-plane", Share(0, CONTROL_PLANE))
        self.worker = ClusterNode(root, "worker", Share(1, WORKER))
        switch = Switch()
        self._undo.callback(switch.close)
        for node in self.nodes:
            self._undo.enter_context(node)
            switch.plug(node)
        self.control_plane.run("sh", "-c", script(self.control_plane.pods, self.worker.pods))
        self.worker.run("sh", "-c", script(self.worker.pods, self.control_plane.pods))
        was = self.worker.run("python3", "-c", CLOCK, "1").stdout.strip()  # in the place of a time server
        self._undo.callback(self.worker.run, "python3", "-c", CLOCK, was)
        self._make_cluster()
        self._say(f"The cluster of the tests was booted in {time.monotonic() - started:.0f} s")

    def _make_cluster(self) -> None:
        """Run kubeadm init and kubeadm join side by side: the one that joins waits for the other."""
        with concurrent.futures.ThreadPoolExecutor() as both:
            done = [both.submit(self._init), both.submit(self._join)]
            for one in done:
                one.result()
        self.kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=60s")  # or one node gets all pods
        self.control_plane.run("kubeadm", "init", "phase", "addon", "coredns", "--config=/root/kubeadm.yaml")
        self.kubectl("apply", "--filename=-", text=manifests())

    def _init(self) -> None:
        node = self.control_plane
        node.install_nodecheck(self._checkout)
        node.load_images(CONTROL_PLANE_IMAGES)
        node.write_file("/root/kubeadm.yaml", KUBEADM)
        skipped = "--skip-phases=preflight,addon/coredns"
        node.run("kubeadm", "init", "--config=/root/kubeadm.yaml", skipped, timeout=READY_SECONDS)

    def _join(self) -> None:
        node = self.worker
        node.install_nodecheck(self._checkout)
        node.load_images(WORKER_IMAGES)
        trust = ["--token", TOKEN, "--discovery-token-unsafe-skip-ca-verification", "--ignore-preflight-errors=all"]
        command = ["kubeadm", "join", f"{CONTROL_PLANE}:6443", *trust, "--node-name=worker"]
        node.run(*command, timeout=READY_SECONDS)

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """Run kubectl on the control plane, and return what it said."""
        return self.control_plane.run(*KUBECTL, *arguments, text=text, timeout=READY_SECONDS).stdout
