"""What clusters have beside kubeadm's own pods: stand-ins here, since Debian has none of the programs; each broken."""

from .scenarios import Proving, Scenario, table


def frozen(name: str, process: str, cause: str, criticals: int = 0) -> Scenario:
    """A program in a pod that hangs."""
    return Scenario(
        name=f"{name} hangs",
        node="worker",
        breaks=f"pkill --signal STOP --exact {process}",
        mends=f"pkill --signal CONT --exact {process}",
        cause=cause,
        criticals=criticals,
    )


def filtered(name: str, port: int, cause: str, criticals: int = 0) -> Scenario:
    """A program in a pod to which the node's packet filter lets nobody through."""
    rule = f"OUTPUT --protocol tcp --dport {port} --jump REJECT --reject-with tcp-reset"
    return Scenario(
        name=f"a packet filter rejects what is sent to {name}",
        node="worker",
        breaks=f"iptables --insert {rule}",
        mends=f"iptables --delete {rule}",
        cause=cause,
        says="refused",
        criticals=criticals,
    )


SCENARIOS = (
    frozen("the ingress controller", "nginx-ingress-c", "[Ii]ngress", criticals=1),
    frozen("metrics-server", "metrics-server", "metrics-server"),
    frozen("the dashboard", "dashboard", "[Dd]ashboard"),
    frozen("Heapster", "heapster", "Heapster"),
    filtered("the ingress controller", 10254, "[Ii]ngress", criticals=1),
    filtered("metrics-server", 4443, "metrics-server"),
    filtered("the dashboard", 8443, "[Dd]ashboard"),
    filtered("Heapster", 8082, "Heapster"),
    Scenario(
        name="flannel has not said what this node has",
        node="worker",
        breaks="away /run/flannel/subnet.env",
        mends="back /run/flannel/subnet.env",
        cause="flannel",
        says="subnet.env",
    ),
    Scenario(
        name="the overlay of flannel is down",
        node="worker",
        breaks="ip link set flannel.1 down",
        mends="""
            ip link set flannel.1 up
            ip neighbour replace 10.244.0.0 lladdr 0e:77:00:00:00:00 dev flannel.1 nud permanent
            bridge fdb append 0e:77:00:00:00:00 dev flannel.1 dst 10.77.0.10 2>/dev/null || true
            ip route replace 10.244.0.0/24 via 10.244.0.0 dev flannel.1 onlink
        """,
        cause="flannel|overlay",
        says="flannel.1",
    ),
)


@table(*SCENARIOS)
def test_the_cause_is_named(proving: Proving, scenario: Scenario) -> None:
    proving.prove(scenario)
