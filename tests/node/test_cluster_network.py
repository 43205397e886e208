"""kube-proxy, the network of pods and the cluster's name service, broken in each way they break."""

from .scenarios import Proving, Scenario, table

PROXY = "kube-proxy"
DNS = "CoreDNS|cluster DNS|[Nn]ame service"
SELECTOR = "kubectl --kubeconfig=/etc/kubernetes/admin.conf --namespace=kube-system patch daemonset kube-proxy --patch"

SCENARIOS = (
    Scenario(
        name="kube-proxy hangs",
        node="worker",
        breaks="pkill --signal STOP --exact kube-proxy",
        mends="pkill --signal CONT --exact kube-proxy",
        cause=PROXY,
    ),
    Scenario(
        name="the pod of kube-proxy is gone",
        node="control_plane",
        breaks=f"""
            {SELECTOR} '{{"spec": {{"template": {{"spec": {{"nodeSelector": {{"nowhere": "true"}}}}}}}}}}'
            wait_for 'gone kube-proxy'
        """,
        mends=f"""
            {SELECTOR} '{{"spec": {{"template": {{"spec": {{"nodeSelector": {{"nowhere": null}}}}}}}}}}'
        """,
        cause=PROXY,
    ),
    Scenario(
        name="another process has the health port of kube-proxy",
        node="worker",
        breaks="""
            hold 10256
            restart_kubelet
            docker kill $(container kube-proxy)
            wait_for 'held 10256'
            wait_for '! gone kube-proxy'
        """,
        mends="release 10256; docker kill $(container kube-proxy); restart_kubelet",
        cause=f"{PROXY}|10256",
        says="python3",
    ),
    Scenario(
        name="the configuration of the pods' network is gone",
        node="worker",
        breaks="away /etc/cni/net.d/10-flannel.conflist",
        mends="back /etc/cni/net.d/10-flannel.conflist",
        cause="CNI|network",
        says="/etc/cni/net.d",
    ),
    Scenario(
        name="there are two configurations of the pods' network",
        node="worker",
        breaks="cp /etc/cni/net.d/10-flannel.conflist /etc/cni/net.d/20-former.conflist",
        mends="rm /etc/cni/net.d/20-former.conflist",
        cause="CNI|network",
        says="/etc/cni/net.d|2 ",
        criticals=0,
    ),
    Scenario(
        name="a server of the cluster's name service hangs",
        node="worker",
        breaks="pkill --signal STOP --oldest --exact coredns",
        mends="pkill --signal CONT --exact coredns",
        cause=DNS,
    ),
    Scenario(
        name="packets are not forwarded",
        node="worker",
        breaks="sysctl --quiet --write net.ipv4.ip_forward=0",
        mends="sysctl --quiet --write net.ipv4.ip_forward=1",
        cause="forward",
        says="ip_forward",
    ),
    Scenario(
        name="packets of bridges do not pass iptables",
        node="worker",
        breaks="sysctl --quiet --write net.bridge.bridge-nf-call-iptables=0",
        mends="sysctl --quiet --write net.bridge.bridge-nf-call-iptables=1",
        cause="[Bb]ridge",
        says="bridge-nf-call-iptables|bridge_nf_call_iptables",
    ),
    Scenario(
        name="the table of connections is full",
        node="worker",
        breaks="""
            python3 -c "import socket
size = int(open('/proc/sys/net/netfilter/nf_conntrack_max').read())
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range(size * 19 // 20):
    sender.sendto(b'', (f'127.0.{number // 60000}.9', 1024 + number % 60000))"
        """,
        mends="conntrack --flush",
        cause="conntrack|[Cc]onnection",
        says="conntrack",
    ),
    Scenario(
        name="the node asks a name server that is not there",
        node="worker",
        breaks="copy /etc/resolv.conf; echo 'nameserver 10.77.0.99' >/etc/resolv.conf",
        mends="back /etc/resolv.conf",
        cause="[Nn]ame|DNS|resolv",
        says="10.77.0.99",
        criticals=0,
    ),
)


@table(*SCENARIOS)
def test_the_cause_is_named(proving: Proving, scenario: Scenario) -> None:
    proving.prove(scenario)
