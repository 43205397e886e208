"""What clusters have beside kubeadm's own pods: flannel, ingress-nginx, metrics-server, the dashboard and Heapster.

None of their programs is in Debian, so a stand-in is in each place, named, labelled and listening as the real one.
"""

IMAGE = "stand-in:1"
FLANNEL = """
apiVersion: v1
kind: Namespace
metadata: {name: kube-flannel}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-flannel-cfg, namespace: kube-flannel}
data:
  net-conf.json: '{"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan"}}'
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: kube-flannel-ds, namespace: kube-flannel, labels: {app: flannel}}
spec:
  selector: {matchLabels: {app: flannel}}
  template:
    metadata: {labels: {app: flannel}}
    spec:
      hostNetwork: true
      priorityClassName: system-node-critical
      tolerations: [{operator: Exists, effect: NoSchedule}]
      containers:
        - name: kube-flannel
          image: IMAGE
          command: [/usr/local/bin/stand-in, flanneld, --ip-masq, --kube-subnet-mgr]
          volumeMounts: [{name: flannel-cfg, mountPath: /etc/kube-flannel/}]
      volumes: [{name: flannel-cfg, configMap: {name: kube-flannel-cfg}}]
"""
INGRESS = """
apiVersion: v1
kind: Namespace
metadata: {name: ingress-nginx}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: ingress-nginx-controller, namespace: ingress-nginx}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: ingress-nginx, app.kubernetes.io/component: controller}}
  template:
    metadata: {labels: {app.kubernetes.io/name: ingress-nginx, app.kubernetes.io/component: controller}}
    spec:
      hostNetwork: true
      containers:
        - name: controller
          image: IMAGE
          command: [/usr/local/bin/stand-in, nginx-ingress-controller]
          livenessProbe: {httpGet: {path: /healthz, port: 10254}, failureThreshold: 5}
"""
DEPLOYMENTS = (
    # name, namespace, its label, container, command, port
    ("metrics-server", "kube-system", "metrics-server", "metrics-server --secure-port=4443", "HTTPS", 4443),
    (
        "kubernetes-dashboard",
        "kubernetes-dashboard",
        "kubernetes-dashboard",
        "dashboard --auto-generate-certificates",
        "HTTPS",
        8443,
    ),
    ("heapster", "kube-system", "heapster", "heapster --source=kubernetes", "HTTP", 8082),
)
DEPLOYMENT = """
apiVersion: v1
kind: Namespace
metadata: {name: NAMESPACE}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: NAMESPACE, labels: {k8s-app: LABEL}}
spec:
  selector: {matchLabels: {k8s-app: LABEL}}
  template:
    metadata: {labels: {k8s-app: LABEL}}
    spec:
      nodeName: worker
      containers:
        - name: NAME
          image: IMAGE
          command: [/usr/local/bin/stand-in, COMMAND]
          readinessProbe: {httpGet: {path: /, port: PORT, scheme: SCHEME}}
"""


def manifests() -> str:
    """All of it, for kubectl apply."""
    texts = [FLANNEL, INGRESS]
    for name, namespace, label, command, scheme, port in DEPLOYMENTS:
        text = DEPLOYMENT.replace("NAMESPACE", namespace).replace("NAME", name).replace("LABEL", label)
        text = text.replace("COMMAND", ", ".join(command.split()))
        texts.append(text.replace("PORT", str(port)).replace("SCHEME", scheme))
    return "---\n".join(texts).replace("IMAGE", IMAGE)
