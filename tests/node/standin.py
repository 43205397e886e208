#!/usr/bin/python3
"""A stand-in for a program of a cluster that Debian does not have: it is called the same and answers where that does.

    stand-in coredns ...    a name service on port 53, and its health endpoints

What follows the name is what the manifest hands to the real program, and is ignored.
"""

import http.server
import pathlib
import signal
import socket
import socketserver
import ssl
import sys
import threading
from typing import Any

PORTS = {
    "coredns": (8080, 8181, 9153),
    "flanneld": (),
    "nginx-ingress-controller": (80, 443, 10254),
    "metrics-server": (4443,),
    "dashboard": (8443,),
    "heapster": (8082,),
}
WITH_TLS = (443, 4443, 8443)
ADDRESS = bytes([10, 96, 0, 1])  # kubernetes.default.svc.cluster.local


class Health(http.server.BaseHTTPRequestHandler):
    """Says that all is well, whatever is asked."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"OK")

    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


def answer(query: bytes) -> bytes:
    """The answer to a query by name service's rules: one address for every name of the cluster, none for others."""
    end = query.index(b"\0", 12) + 5  # the name's end, its type and its class
    question = query[12:end]
    labels = question[:-4].lower()
    known = labels.endswith(b"\x07cluster\x05local\x00")
    wants_address = question[-4:] == b"\x00\x01\x00\x01"
    count = int(known and wants_address)
    flags = b"\x85\x80" if known else b"\x85\x83"  # an authority's answer; 3: there is no such name
    header = query[:2] + flags + b"\x00\x01" + bytes([0, count]) + b"\x00\x00\x00\x00"
    record = b"\xc0\x0c\x00\x01\x00\x01" + (30).to_bytes(4, "big") + b"\x00\x04" + ADDRESS
    return header + question + record * count


class Datagram(socketserver.BaseRequestHandler):
    """A query by UDP."""

    def handle(self) -> None:
        data, answering = self.request
        answering.sendto(answer(data), self.client_address)


class Stream(socketserver.StreamRequestHandler):
    """A query by TCP, after its length."""

    def handle(self) -> None:
        size = int.from_bytes(self.rfile.read(2), "big")
        said = answer(self.rfile.read(size))
        self.wfile.write(len(said).to_bytes(2, "big") + said)


class TcpServer(socketserver.ThreadingTCPServer):
    """A server on all addresses, with TLS where the real program has it."""

    allow_reuse_address = True
    daemon_threads = True

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self.server_address[1] in WITH_TLS:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain("/usr/local/bin/stand-in.pem")
            connection = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address


def main(name: str) -> None:
    """Be called by this name, and serve until SIGTERM."""
    pathlib.Path("/proc/self/comm").write_text(name)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    servers: list[socketserver.BaseServer] = [TcpServer(("", port), Health) for port in PORTS[name]]
    if name == "coredns":
        servers += [socketserver.ThreadingUDPServer(("", 53), Datagram), TcpServer(("", 53), Stream)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])
