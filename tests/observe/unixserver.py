"""A daemon on a Unix socket that answers, or does not, as a test wants it."""

import contextlib
import pathlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Self

Answers = Callable[[str], bytes | None]  # the path asked for -> what is sent; b"": hang up; None: nothing, ever


def http(body: str, status: str = "200 OK") -> bytes:
    """Return an answer in HTTP."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


class Server:
    """Serves while the context lasts; `asked` is what it was asked for. With `drip` it sends ten bytes a second."""

    def __init__(self, path: pathlib.Path, answers: Answers, *, drip: bool = False) -> None:
        self.asked: list[str] = []
        self._answers = answers
        self._drip = drip
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._begin(self._serve)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()  # from then on there are no new ones
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def _begin(self, target: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=target, args=arguments, daemon=True))
        self._threads[-1].start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._begin(self._talk, self._socket.accept()[0])

    def _talk(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while request := connection.recv(65536):
                self.asked.append(request.split(b" ", 2)[1].decode())
                answer = self._answers(self.asked[-1])
                if answer is None:
                    self._ended.wait()
                if not answer:
                    return
                self._send(connection, answer)

    def _send(self, connection: socket.socket, answer: bytes) -> None:
        pieces = [bytes([byte]) for byte in answer] if self._drip else [answer]
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.1 if self._drip else 0)
