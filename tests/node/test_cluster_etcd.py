"""etcd as a static pod, broken in each way it breaks: what needs it is blocked by it."""

from .scenarios import Proving, Scenario, table

ALARM = """
    pki=/etc/kubernetes/pki/etcd
    alarm() {
      curl --silent --fail --cacert $pki/ca.crt --cert $pki/server.crt --key $pki/server.key \\
        https://127.0.0.1:2379/v3/maintenance/alarm --data "{\\"action\\": \\"$1\\", \\"alarm\\": \\"NOSPACE\\"}"
    }
"""

SCENARIOS = (
    Scenario(
        name="etcd hangs",
        node="control_plane",
        breaks="pkill --signal STOP --exact etcd",
        mends="pkill --signal CONT --exact etcd",
        cause="etcd",
    ),
    Scenario(
        name="etcd is down: its manifest is gone",
        node="control_plane",
        breaks="away $(manifest etcd); wait_for 'gone etcd'",
        mends="back $(manifest etcd); restart_kubelet",
        cause="etcd",
    ),
    Scenario(
        name="the disk of etcd is full",
        node="control_plane",
        breaks="mount -t tmpfs -o size=1m tmpfs /var/lib/etcd; head -c 1m /dev/zero >/var/lib/etcd/full || true",
        mends="umount /var/lib/etcd",
        cause="etcd",
        says="/var/lib/etcd",
    ),
    Scenario(
        name="etcd has an alarm: no space",
        node="control_plane",
        breaks=f"{ALARM} alarm ACTIVATE",
        mends=f"{ALARM} alarm DEACTIVATE",
        cause="etcd",
        says='NOSPACE|alarm|"health":"false"',  # etcd 3.3 does not say why
    ),
    Scenario(
        name="a copy of etcd's manifest lies beside it",
        node="control_plane",
        breaks="cp $(manifest etcd) $(manifest etcd).backup",
        mends="rm $(manifest etcd).backup; restart_kubelet",
        cause="[Mm]anifest|static pod",
        says="etcd.yaml.backup",
    ),
    Scenario(
        name="the certificate of etcd's health check has run out",
        node="control_plane",
        breaks="""
            pki=/etc/kubernetes/pki/etcd
            copy $pki/healthcheck-client.crt
            expired $pki/healthcheck-client.crt $pki/healthcheck-client.key
        """,
        mends="back /etc/kubernetes/pki/etcd/healthcheck-client.crt",
        cause="[Cc]ertificate|etcd",
        says="healthcheck-client.crt.*expired|expired.*healthcheck-client.crt",
    ),
)


@table(*SCENARIOS)
def test_the_cause_is_named(proving: Proving, scenario: Scenario) -> None:
    proving.prove(scenario)
