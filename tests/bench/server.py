"""Runs in the node: listens on a port, says that it is ready, and becomes a program that holds on to the socket."""

import os
import socket
import sys

PORT, PROGRAM = sys.argv[1:]
server = socket.create_server(("0.0.0.0", int(PORT)))
server.set_inheritable(True)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
    notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
os.execv(PROGRAM, [PROGRAM, "infinity"])
