# What the scenarios of a broken node may call. Nothing here is nodecheck's: the harness must not believe the one it tests.
# shellcheck shell=bash disable=SC2317
set -eu
wait_for() { # a condition, for 40 s
  for _ in $(seq 400); do if eval "$1"; then return; fi; sleep 0.1; done
  echo "not within 40 s: $1" >&2
  return 1
}
away() { mkdir -p /root/away; for file; do mv "$file" "/root/away/${file##*/}"; done; }
back() { for file; do if [ -e "/root/away/${file##*/}" ]; then mv "/root/away/${file##*/}" "$file"; fi; done; }
copy() { mkdir -p /root/away; for file; do cp -a "$file" "/root/away/${file##*/}"; done; }
manifest() { echo "/etc/kubernetes/manifests/$1.yaml"; }
container() { docker ps -q --no-trunc --filter "name=k8s_$1_"; }
gone() { [ -z "$(container "$1")" ]; }
hold() { # a port, with a process that is none of Kubernetes'
  systemd-run --quiet --unit="hold-$1" --property=Type=exec python3 -c "import socket, sys, time
while True:
    try:
        held = socket.create_server(('', $1))
        break
    except OSError:
        time.sleep(0.001)
while True: held.accept()"
}
listens() { ss -Hltn "sport = $1" | grep -q .; }
held() { ss -Hltnp "sport = $1" | grep -q python3; }
release() { systemctl stop "hold-$1" 2>/dev/null || true; }
restart_kubelet() { # it forgets how long it meant to wait before it restarts a container
  systemctl reset-failed kubelet 2>/dev/null || true
  systemctl restart kubelet
}
expired() { # for a certificate's file: one with the same key and names that the cluster's CA signed and that ran out
  work=$(mktemp -d)
  openssl x509 -in "$1" -noout -ext subjectAltName 2>/dev/null |
    sed -n '2{s/IP Address:/IP:/g; s/^ */subjectAltName=/p}' >"$work/extensions"
  openssl x509 -x509toreq -in "$1" -signkey "$2" -out "$work/request" 2>/dev/null
  : >"$work/index"
  cat >"$work/configuration" <<END
[ca]
default_ca=own
[own]
database=$work/index
new_certs_dir=$work
rand_serial=yes
default_md=sha256
policy=any
[any]
organizationName=optional
commonName=supplied
END
  openssl ca -batch -notext -config "$work/configuration" -extfile "$work/extensions" \
    -cert /etc/kubernetes/pki/ca.crt -keyfile /etc/kubernetes/pki/ca.key \
    -startdate 20200101000000Z -enddate 20210101000000Z -in "$work/request" -out "$1" 2>"$work/said" ||
    { cat "$work/said" >&2; return 1; }
  rm -r "$work"
}
