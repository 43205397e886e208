"""Runs in the node: answers GET /healthz on ports, the last of them over TLS, and tells systemd that it is ready."""

import http.server
import os
import socket
import ssl
import sys
import threading

CERTIFICATE, SECURE, *PORTS = sys.argv[1:]


class Healthy(http.server.BaseHTTPRequestHandler):
    """A control plane's component, as far as its health goes."""

    def do_GET(self) -> None:
        """Answer as they do."""
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE)
for number, port in enumerate(PORTS):
    server = http.server.ThreadingHTTPServer(("0.0.0.0", int(port)), Healthy)
    if number >= len(PORTS) - int(SECURE):
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever).start()
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
    notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
