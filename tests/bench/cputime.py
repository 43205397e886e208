"""Runs in the node: the CPU time of a command and of all that it starts, orphans too.

hyperfine knows only of processes that their parents have waited for, and nodecheck does not wait for its helper. So
whatever loses its parent becomes a child of this process (PR_SET_CHILD_SUBREAPER of prctl(2)), which waits for all.
"""

import ctypes
import json
import os
import resource
import sys

PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """Print the seconds of each run as JSON; the arguments are how many runs, and the command."""
    runs, command = int(sys.argv[1]), sys.argv[2:]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    print(json.dumps([one_run(command) for _ in range(runs)]))


def one_run(command: list[str]) -> float:
    """Return the user and system time of one run, in seconds."""
    before = used()
    quiet = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in (0, 1, 2)]
    started = os.posix_spawnp(command[0], command, os.environ, file_actions=quiet)
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            return used() - before
        if pid == started and status != 0:
            sys.exit(f"{command} ended with {os.waitstatus_to_exitcode(status)}")


def used() -> float:
    """Return the CPU time of all children that were waited for, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


main()
