"""The kubelet of a worker, broken in each way it breaks."""

from .scenarios import Proving, Scenario, table

CONFIGURATION = "/var/lib/kubelet/config.yaml"
UNIT = "^kubelet.service is healthy$"

SCENARIOS = (
    Scenario(
        name="the kubelet was stopped",
        node="worker",
        breaks="systemctl stop kubelet",
        mends="systemctl start kubelet",
        cause=UNIT,
        says="stopped or never started",
    ),
    Scenario(
        name="the kubelet crashes for ever: its configuration is no YAML",
        node="worker",
        breaks=f"""
            copy {CONFIGURATION}
            echo 'authentication: [' >>{CONFIGURATION}
            systemctl restart kubelet
            wait_for '[ "$(systemctl show -P SubState kubelet)" = auto-restart ]'
        """,
        mends=f"back {CONFIGURATION}; restart_kubelet",
        cause="^The kubelet's configuration can be read$",
        says="it is no YAML",
    ),
    Scenario(
        name="the kubelet hangs",
        node="worker",
        breaks="pkill --signal STOP --exact kubelet",
        mends="pkill --signal CONT --exact kubelet",
        cause="kubelet",
        says="stopped by a signal|does not answer",
    ),
    Scenario(
        name="the kubelet hangs on a control plane",
        node="control_plane",
        breaks="pkill --signal STOP --exact kubelet",
        mends="pkill --signal CONT --exact kubelet",
        cause="kubelet",
        says="stopped by a signal|does not answer",
    ),
    Scenario(
        name="the kubelet is not enabled",
        node="worker",
        breaks="systemctl --quiet disable kubelet",
        mends="systemctl --quiet enable kubelet",
        cause="^kubelet.service starts at boot$",
        says="not enabled",
    ),
    Scenario(
        name="the kubelet is masked",
        node="worker",
        breaks="systemctl mask --now kubelet",
        mends="systemctl unmask kubelet; systemctl start kubelet",
        cause=UNIT,
        says="masked",
    ),
    Scenario(
        name="the kubelet is killed over and over",
        node="worker",
        breaks="""
            mkdir -p /run/systemd/system/kubelet.service.d
            printf '[Service]\\nRestartSec=1\\n' >/run/systemd/system/kubelet.service.d/fast.conf
            systemctl daemon-reload
            for restarts in 1 2 3; do
              systemctl kill --signal=KILL kubelet
              wait_for '[ "$(systemctl show -P NRestarts kubelet)" -ge '$restarts' ]'
              wait_for 'pgrep --exact kubelet >/dev/null'
            done
        """,
        mends="rm -r /run/systemd/system/kubelet.service.d; systemctl daemon-reload; restart_kubelet",
        cause=UNIT,
        says=r"[34] restarts|is restarting",
    ),
    Scenario(
        name="another process has the kubelet's port",
        node="worker",
        breaks="""
            systemctl stop kubelet
            hold 10250
            wait_for 'held 10250'
            systemctl start kubelet
            wait_for '[ "$(systemctl show -P SubState kubelet)" = auto-restart ]'
        """,
        mends="release 10250; restart_kubelet",
        cause="API|port|10250",
        says="held by python3",
    ),
    Scenario(
        name="another process has the kubelet's health port",
        node="worker",
        breaks="""
            systemctl stop kubelet
            hold 10248
            wait_for 'held 10248'
            systemctl start kubelet
            wait_for 'listens 10250'
        """,
        mends="release 10248; restart_kubelet",
        cause="health port",
        says="held by python3",
        criticals=0,
    ),
    Scenario(
        name="the kubelet's certificate has run out",
        node="control_plane",
        breaks="""
            pem=$(readlink -f /var/lib/kubelet/pki/kubelet-client-current.pem)
            cp -a "$pem" /root/kubelet-client.pem
            openssl x509 -in "$pem" -out /root/leaf.crt
            openssl pkey -in "$pem" -out /root/leaf.key
            expired /root/leaf.crt /root/leaf.key
            cat /root/leaf.crt /root/leaf.key >"$pem"
        """,
        mends="""
            cp -a /root/kubelet-client.pem "$(readlink -f /var/lib/kubelet/pki/kubelet-client-current.pem)"
        """,
        cause="certificate|kubelet",
        says="expired",
    ),
    Scenario(
        name="the kubelet's kubeconfig is gone",
        node="worker",
        breaks="away /etc/kubernetes/kubelet.conf",
        mends="back /etc/kubernetes/kubelet.conf",
        cause="^The kubelet has been registered$",
        says="/etc/kubernetes/kubelet.conf",
    ),
)


@table(*SCENARIOS)
def test_the_cause_is_named(proving: Proving, scenario: Scenario) -> None:
    proving.prove(scenario)
