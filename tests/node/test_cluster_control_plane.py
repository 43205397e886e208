"""The static pods of a control plane other than etcd, broken in each way they break."""

from .scenarios import Proving, Scenario, table

API_SERVER = "kube-apiserver|API server"
MANAGER = "kube-controller-manager|controller manager"
SCHEDULER = "kube-scheduler|[Ss]cheduler"
CERTIFICATE = "/etc/kubernetes/pki/apiserver.crt /etc/kubernetes/pki/apiserver.key"
# A container that was killed is started again at once, if the kubelet has forgotten how often it had to.
ANSWERS = "curl --silent --insecure --fail --max-time 2 --output /dev/null https://127.0.0.1:6443/readyz"
KILL = f"restart_kubelet; docker kill $(container kube-apiserver); wait_for 'listens 6443'; wait_for '{ANSWERS}'"


def frozen(name: str, program: str, cause: str) -> Scenario:
    """A program of the control plane that hangs."""
    return Scenario(
        name=f"{name} hangs",
        node="control_plane",
        breaks=f"pkill --signal STOP --full '^{program} '",
        mends=f"pkill --signal CONT --full '^{program} '",
        cause=cause,
    )


SCENARIOS = (
    frozen("kube-apiserver", "kube-apiserver", API_SERVER),
    frozen("kube-controller-manager", "kube-controller-manager", MANAGER),
    frozen("kube-scheduler", "kube-scheduler", SCHEDULER),
    Scenario(
        name="the manifest of kube-apiserver was moved away",
        node="control_plane",
        breaks="away $(manifest kube-apiserver); wait_for 'gone kube-apiserver'",
        mends="back $(manifest kube-apiserver); restart_kubelet",
        cause=f"{API_SERVER}|[Mm]anifest",
    ),
    Scenario(
        name="another process has the port of kube-apiserver",
        node="control_plane",
        breaks="""
            away $(manifest kube-apiserver)
            wait_for 'gone kube-apiserver'
            hold 6443
            wait_for 'held 6443'
            back $(manifest kube-apiserver)
            restart_kubelet
            wait_for 'docker ps -a --filter name=k8s_kube-apiserver_ --filter status=exited | grep -q k8s_'
            wait_for 'listens 10250'
        """,
        mends="release 6443; restart_kubelet",
        cause=f"{API_SERVER}|6443",
        says="python3",
    ),
    Scenario(
        name="the certificate of kube-apiserver ran out, on disk only",
        node="control_plane",
        breaks=f"copy {CERTIFICATE}; expired {CERTIFICATE}",
        mends="back /etc/kubernetes/pki/apiserver.crt",
        cause="[Cc]ertificate|apiserver.crt",
        says="apiserver.crt",
    ),
    Scenario(
        name="the certificate of kube-apiserver ran out, as served too",
        node="control_plane",
        breaks=f"copy {CERTIFICATE}; expired {CERTIFICATE}; {KILL}",
        mends=f"back /etc/kubernetes/pki/apiserver.crt; {KILL}",
        cause="[Cc]ertificate|apiserver",
        says="expired",
    ),
    Scenario(
        name="kube-apiserver serves a certificate that ran out, and the file is fresh",
        node="control_plane",
        # The kube-controller-manager that leads ends when it gets no answer: that follows, and is no cause.
        breaks=f"""
            leader=$(container kube-controller-manager)
            wait_for 'docker logs $leader 2>&1 | grep -q "successfully acquired lease"'
            copy {CERTIFICATE}; expired {CERTIFICATE}; {KILL}; back /etc/kubernetes/pki/apiserver.crt
            wait_for '[ "$(container kube-controller-manager)" != "$leader" ]'
        """,
        mends=KILL,
        cause="[Cc]ertificate|apiserver",
        says="expired",
    ),
    Scenario(
        name="the manifest of kube-controller-manager is no YAML",
        node="control_plane",
        breaks="""
            copy $(manifest kube-controller-manager)
            echo '  broken: [' >>$(manifest kube-controller-manager)
            wait_for 'gone kube-controller-manager'
        """,
        mends="back $(manifest kube-controller-manager); restart_kubelet",
        cause=f"{MANAGER}|[Mm]anifest",
    ),
    Scenario(
        name="kube-scheduler crashes for ever: it does not know an option",
        node="control_plane",
        breaks="""
            copy $(manifest kube-scheduler)
            sed -i 's/- --leader-elect=true/- --leader-select=true/' $(manifest kube-scheduler)
            wait_for 'gone kube-scheduler'
        """,
        mends="back $(manifest kube-scheduler); restart_kubelet",
        cause=SCHEDULER,
    ),
    Scenario(
        name="the certificate of kube-scheduler's kubeconfig has run out",
        node="control_plane",
        breaks="""
            configuration=/etc/kubernetes/scheduler.conf
            copy $configuration
            sed -n 's/.*client-certificate-data: //p' $configuration | base64 -d >/root/leaf.crt
            sed -n 's/.*client-key-data: //p' $configuration | base64 -d >/root/leaf.key
            expired /root/leaf.crt /root/leaf.key
            sed -i "s|\\(client-certificate-data: \\).*|\\1$(base64 -w 0 /root/leaf.crt)|" $configuration
        """,
        mends="back /etc/kubernetes/scheduler.conf",
        cause=f"[Cc]ertificate|{SCHEDULER}",
        says="scheduler.conf",
    ),
    Scenario(
        name="everybody may read admin.conf",
        node="control_plane",
        breaks="chmod 644 /etc/kubernetes/admin.conf",
        mends="chmod 600 /etc/kubernetes/admin.conf",
        cause="admin.conf|kubeconfig|[Ss]ecret|readable|mode",
        says="admin.conf",
        criticals=0,
    ),
    Scenario(
        name="the kubeconfig of kube-controller-manager is gone",
        node="control_plane",
        breaks="away /etc/kubernetes/controller-manager.conf",
        mends="back /etc/kubernetes/controller-manager.conf",
        cause=f"kubeconfig|controller-manager.conf|{MANAGER}",
        says="controller-manager.conf",
    ),
    Scenario(
        name="the key of the cluster's certificate authority may be read by everybody",
        node="control_plane",
        breaks="chmod 644 /etc/kubernetes/pki/ca.key",
        mends="chmod 600 /etc/kubernetes/pki/ca.key",
        cause="key|[Ss]ecret|readable|mode",
        says="ca.key",
        criticals=0,
    ),
)


@table(*SCENARIOS)
def test_the_cause_is_named(proving: Proving, scenario: Scenario) -> None:
    proving.prove(scenario)
