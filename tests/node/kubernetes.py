"""Kubernetes for the cluster of these tests, built once from Debian's source package and kept in the cache.

Debian 12 has no packages of the control plane, and nothing else to get Kubernetes from is sure to be reachable.
"""

import hashlib
import pathlib
import shutil
import sys
import time
from collections.abc import Callable

from .derived import run_in_root, scratch_root
from .roots import cache_directory, ensure_root, locked

VERSION = "v1.20.2"
SUITE = "bookworm"
COMMANDS = "kubeadm kubectl kubelet kube-apiserver kube-controller-manager kube-proxy kube-scheduler".split()
PACKAGES = "golang-go golang-github-modern-go-reflect2-dev ca-certificates rsync make jq".split()
# Runs in a root of its own. The vendored reflect2 panics with Go 1.18 and later; Debian's own copy does not. Without
# cgo the programs need no library, so that an image is the program alone.
BUILD = f"""
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/root
sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >/etc/apt/sources.list.d/source.list
apt-get -q update
apt-get -q -y install --no-install-recommends {" ".join(PACKAGES)}
mkdir /download
cd /download
apt-get -q source --download-only kubernetes
export GO111MODULE=off GOPATH=/gopath GOCACHE=/gocache CGO_ENABLED=0 KUBE_GIT_VERSION={VERSION}
tree=$GOPATH/src/k8s.io/kubernetes
mkdir -p "$tree"
tar -xf /download/kubernetes_*.orig.tar.* -C "$tree" --strip-components=1
cd "$tree"
rm -r vendor/github.com/modern-go/reflect2
cp -r /usr/share/gocode/src/github.com/modern-go/reflect2 vendor/github.com/modern-go/
rm -f vendor/github.com/modern-go/reflect2/*_test.go
make generated_files
version=k8s.io/kubernetes/vendor/k8s.io/component-base/version
mkdir /built
for command in {" ".join(COMMANDS)}; do echo "./cmd/$command"; done | xargs go build -trimpath -o /built/ \\
  -ldflags "-s -w -X $version.gitVersion={VERSION} -X $version.gitMajor=1 -X $version.gitMinor=20"
mkdir /pause
cat >/pause/pause.go <<'GO'
{{pause}}
GO
cd /pause
go build -trimpath -ldflags '-s -w' -o /built/pause pause.go
"""
# What keeps the namespaces of a pod: Kubernetes has it in C.
PAUSE = """\
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGINT, syscall.SIGTERM)
	<-ends
}
"""


def build_script() -> str:
    """The whole recipe: what it makes is kept under its digest, so that a changed recipe builds anew."""
    return BUILD.replace("{pause}", PAUSE)


def binaries_path() -> pathlib.Path:
    """Where the programs of this recipe are, or will be."""
    digest = hashlib.sha256(build_script().encode()).hexdigest()[:12]
    return cache_directory() / "kubernetes" / f"{VERSION}-{digest}"


def ensure_binaries(say: Callable[[str], None]) -> pathlib.Path:
    """The folder with the programs of Kubernetes, built first if it is not there yet; `say` is told of the progress."""
    binaries = binaries_path()
    binaries.parent.mkdir(parents=True, exist_ok=True)
    with locked(binaries.parent):
        if not binaries.exists():
            started = time.monotonic()
            say(f"Kubernetes {VERSION} is built from Debian's source package, once: about 12 minutes on two cores ...")
            build(binaries)
            say(f"Kubernetes {VERSION} was built in {time.monotonic() - started:.0f} s; it is kept in {binaries}")
            remove_others(binaries)
    return binaries


def build(binaries: pathlib.Path) -> None:
    """Build in a copy of the root, and give the result its name when it is complete."""
    with scratch_root(ensure_root(SUITE), binaries.parent, "building") as root:
        (root / "build.sh").write_text(build_script())
        run_in_root(root, "sh", "/build.sh")
        (root / "built").rename(binaries)


def remove_others(current: pathlib.Path) -> None:
    """Remove what former recipes have built."""
    for other in current.parent.iterdir():
        if other != current:
            shutil.rmtree(other, ignore_errors=True)


if __name__ == "__main__":
    print(ensure_binaries(lambda text: print(text, file=sys.stderr, flush=True)))
