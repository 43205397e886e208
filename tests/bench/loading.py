"""Runs in the node: how long reading definitions takes, without starting Python and without looking at anything."""

import gc
import json
import sys
import time

sys.path.insert(0, "/usr/lib/nodecheck")
from nodecheck.definitions.sources import read_definitions

gc.disable()  # as `nodecheck run` does


def main() -> None:
    """Print the seconds of each reading, and how many checks were read; the arguments are how often, and the file."""
    runs, file = int(sys.argv[1]), sys.argv[2]
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        definitions = read_definitions([file], {"facts": {}, "groups": ["all"]}, {})
        times.append(time.perf_counter() - started)
    print(json.dumps({"seconds": times, "checks": sum(len(play.checks) for play in definitions.plays)}))


main()
