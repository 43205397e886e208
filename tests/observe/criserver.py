"""A container runtime on a Unix socket: `python criserver.py SOCKET '{"v1/Version": "<hex>", "v1/Status": "hang"}'`.

What it is not told about, it does not know. It runs in a process of its own: gRPC and fork do not go together.
"""

import concurrent.futures
import json
import sys
import time
from typing import Any

import grpc


class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    def __init__(self, answers: dict[str, str]) -> None:
        self._answers = answers

    def service(self, details: Any) -> Any:
        _, service, method = details.method.split("/")
        answer = self._answers.get(f"{service.split('.')[1]}/{method}")
        return None if answer is None else grpc.unary_unary_rpc_method_handler(lambda _, call: give(answer, call))


def give(answer: str, call: Any) -> bytes:
    if answer == "hang":
        time.sleep(30)
    if answer in grpc.StatusCode.__members__:
        call.abort(grpc.StatusCode[answer], "so it was told")
    return bytes.fromhex(answer)


if __name__ == "__main__":
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((Handler(json.loads(sys.argv[2])),))
    server.add_insecure_port(f"unix://{sys.argv[1]}")
    server.start()
    server.wait_for_termination()
