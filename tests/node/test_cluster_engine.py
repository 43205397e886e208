"""The container engine of a node of a cluster, broken in each way it breaks."""

from .scenarios import Proving, Scenario, table

FROZEN = "pkill --signal CONT --exact"
# Whatever happens to Docker's containers, the kubelet makes them anew once Docker is there.
STARTS = "systemctl reset-failed docker containerd; systemctl start containerd docker; restart_kubelet"

SCENARIOS = (
    Scenario(
        name="dockerd hangs on a worker",
        node="worker",
        breaks="pkill --signal STOP --exact dockerd",
        mends=f"{FROZEN} dockerd",
        cause="dockerd|Docker",
        says="stopped by a signal|does not answer",
    ),
    Scenario(
        name="dockerd hangs on a control plane",
        node="control_plane",
        breaks="pkill --signal STOP --exact dockerd",
        mends=f"{FROZEN} dockerd",
        cause="dockerd|Docker",
        says="stopped by a signal|does not answer",
    ),
    Scenario(
        name="containerd hangs",
        node="worker",
        breaks="pkill --signal STOP --exact containerd",
        mends=f"{FROZEN} containerd",
        cause="containerd",
        says="stopped by a signal|does not answer",
    ),
    Scenario(
        name="a shim hangs",
        node="worker",
        breaks="kill -STOP $(pgrep --oldest --full '^/usr/bin/containerd-shim')",
        mends="pkill --signal CONT --full '^/usr/bin/containerd-shim'",
        cause="shim|container|[Pp]od|kube-proxy",
        says="shim|stopped by a signal",
    ),
    Scenario(
        name="docker was stopped",
        node="worker",
        breaks="systemctl stop docker.service docker.socket",
        mends=STARTS,
        cause="^docker.service is healthy$",
        says="docker.service is inactive|stopped|trigger-dead|not active",
    ),
    Scenario(
        name="docker is masked",
        node="worker",
        breaks="systemctl mask --now docker.service",
        mends=f"systemctl unmask docker.service; {STARTS}",
        cause="^docker.service is healthy$",
        says="masked",
    ),
    Scenario(
        name="docker cannot read its configuration",
        node="worker",
        breaks="""
            mkdir -p /etc/docker; echo '{"storage-driver": ' >/etc/docker/daemon.json
            systemctl restart docker.service || true
            wait_for '[ "$(systemctl is-active docker.service)" = failed ]'
        """,
        mends=f"rm -f /etc/docker/daemon.json; {STARTS}",
        cause="^Docker can read its configuration$",
        says="daemon.json: it is no JSON",
    ),
    Scenario(
        name="docker does not know an option of its configuration",
        node="worker",
        breaks="""
            mkdir -p /etc/docker; echo '{"storage-diver": "overlay2"}' >/etc/docker/daemon.json
            systemctl restart docker.service || true
            wait_for '[ "$(systemctl is-active docker.service)" = failed ]'
        """,
        mends=f"rm -f /etc/docker/daemon.json; {STARTS}",
        cause="^docker.service is healthy$",
        says="docker.service (has failed|is restarting)",
    ),
    Scenario(
        name="containerd was stopped",
        node="worker",
        breaks="systemctl stop containerd.service",
        mends=STARTS,
        cause="^containerd.service is healthy$",
    ),
    Scenario(
        name="the file of docker's socket is gone",
        node="worker",
        breaks="mv /run/docker.sock /run/docker.sock.gone",
        mends="mv /run/docker.sock.gone /run/docker.sock",
        cause="Docker|docker",
        says="docker.sock",
    ),
    Scenario(
        name="the disk of the engine is full",
        node="worker",
        # docker does not find its containers below what was mounted over them, and that is a finding of its own.
        breaks="mount -t tmpfs -o size=1m tmpfs /var/lib/docker; head -c 1m /dev/zero >/var/lib/docker/full || true",
        mends="umount /var/lib/docker",
        criticals=2,
        cause="[Dd]ocker|[Dd]isk|room|space|full",
        says="/var/lib/docker",
    ),
    Scenario(
        name="the engine has another driver of control groups than the kubelet",
        node="worker",
        breaks="""
            copy /var/lib/kubelet/config.yaml
            sed -i 's/^cgroupDriver: .*/cgroupDriver: systemd/' /var/lib/kubelet/config.yaml
            systemctl restart kubelet
            wait_for '[ "$(systemctl show -P SubState kubelet)" = auto-restart ]'
        """,
        mends="back /var/lib/kubelet/config.yaml; restart_kubelet",
        cause="cgroup|[Dd]river|control group",
        says="systemd|cgroupfs",
    ),
)


@table(*SCENARIOS)
def test_the_cause_is_named(proving: Proving, scenario: Scenario) -> None:
    proving.prove(scenario)
