"""The root of the cluster's nodes: Debian with the kubelet, and the images of what runs in pods."""

import pathlib
import shutil
from collections.abc import Callable

from . import addons
from .derived import INSTALL, Recipe, ensure_derived_root
from .kubernetes import SUITE, VERSION, ensure_binaries
from .roots import ensure_root

HERE = pathlib.Path(__file__).parent
PACKAGES = (
    "etcd-server etcd-client iptables ebtables ethtool conntrack socat containernetworking-plugins openssl curl chrony"
).split()
# kubeadm's own units, as kubernetes/release has them in its packages.
KUBELET = """\
[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/home/
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
"""
DROP_IN = """\
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \
--kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
"""
FILES = {
    "/lib/systemd/system/kubelet.service": KUBELET,
    "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf": DROP_IN,
}
# What kubeadm's manifests and our own ask for. Debian has no CoreDNS, flannel, ingress-nginx, metrics-server or
# dashboard: one stand-in, which listens and answers where each of them does, is in the place of all.
IMAGES = {
    "kube-apiserver": f"k8s.gcr.io/kube-apiserver:{VERSION}",
    "kube-controller-manager": f"k8s.gcr.io/kube-controller-manager:{VERSION}",
    "kube-scheduler": f"k8s.gcr.io/kube-scheduler:{VERSION}",
    "kube-proxy": f"k8s.gcr.io/kube-proxy:{VERSION}",
    "etcd": "k8s.gcr.io/etcd:3.4.13-0",
    "pause": "k8s.gcr.io/pause:3.2",
    "coredns": "k8s.gcr.io/coredns:1.7.0",
    "stand-in": addons.IMAGE,
}
STAND_INS = {"standin.py": "stand-in", "standin_plugin.py": "flannel"}
CONTROL_PLANE_IMAGES = tuple(IMAGES)
WORKER_IMAGES = ("kube-proxy", "pause", "coredns", "stand-in")
ENTRYPOINTS = {"pause": '["/usr/local/bin/pause"]', "coredns": '["/usr/local/bin/stand-in", "coredns"]'}
SETUP = f"""
{INSTALL}
install_packages {" ".join(PACKAGES)}
rm -rf /var/lib/etcd
systemctl disable etcd.service
sed -i 's/^DAEMON_OPTS=.*/DAEMON_OPTS="-F 1 -x"/' /etc/default/chrony # -x: the clock is this host's, and is left alone
systemctl enable docker.service kubelet.service
mkdir -p /opt/cni /opt/images /etc/cni/net.d
ln -sfn /usr/lib/cni /opt/cni/bin
image() {{ # its name, then programs and folders: a tar of them, with the libraries that they need
  name=$1; shift
  tree=$(mktemp -d)
  chmod 755 "$tree"
  mkdir -p "$tree/etc" "$tree/tmp" "$tree/run" "$tree/var"
  echo 'root:x:0:0::/:/' >"$tree/etc/passwd"
  for file; do
    case $file in /programs/*) folder=/usr/local/bin ;; *) folder=$(dirname "$file") ;; esac
    mkdir -p "$tree$folder"
    cp -a --dereference "$file" "$tree$folder/"
    for library in $(find -L "$file" -type f -exec ldd {{}} + 2>/dev/null | grep -o '/[^ ]*' | grep -v :$ | sort -u); do
      mkdir -p "$tree$(dirname "$library")"
      cp --dereference --no-clobber "$library" "$tree$library"
    done
  done
  tar -C "$tree" -cf "/opt/images/$name.tar" .
  rm -r "$tree"
}}
for name in pause kube-apiserver kube-controller-manager kube-scheduler; do image "$name" "/programs/$name"; done
tools=/usr/sbin
image kube-proxy /programs/kube-proxy $tools/iptables $tools/iptables-save $tools/iptables-restore $tools/ip6tables \\
  $tools/ip6tables-save $tools/ip6tables-restore $tools/conntrack /usr/lib/x86_64-linux-gnu/xtables
image etcd /usr/bin/etcd
openssl req -x509 -newkey rsa:2048 -noenc -days 3650 -subj /CN=stand-in \
  -keyout /programs/stand-in.pem -out /programs/certificate
cat /programs/certificate >>/programs/stand-in.pem
image stand-in /programs/stand-in /programs/stand-in.pem /usr/bin/python3 /usr/lib/python3.11
ln -s stand-in.tar /opt/images/coredns.tar
install -m 755 /programs/flannel /usr/lib/cni/
install -m 755 /programs/kubelet /programs/kubeadm /programs/kubectl /usr/bin/
rm -r /programs
"""


def ensure_kubernetes_root(say: Callable[[str], None]) -> pathlib.Path:
    """The root of the cluster's nodes, made first if it is not there yet; `say` is told of the progress."""
    binaries = ensure_binaries(say)

    def fill(root: pathlib.Path) -> None:
        shutil.copytree(binaries, root / "programs")
        for file, name in STAND_INS.items():
            shutil.copy(HERE / file, root / "programs" / name)
            (root / "programs" / name).chmod(0o755)
        for path, text in FILES.items():
            (root / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            (root / path.lstrip("/")).write_text(text)

    filling = "\n".join([binaries.name, str(FILES), *((HERE / file).read_text() for file in STAND_INS)])
    return ensure_derived_root(Recipe("kubernetes", ensure_root(SUITE), SETUP, fill, filling), say)
