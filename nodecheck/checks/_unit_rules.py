"""The table of verdicts of `state: healthy`. Its rows are printed by `nodecheck explain unit`."""

from __future__ import annotations

from nodecheck.checks.base import Rule
from nodecheck.report.result import Status

GRACE_SECONDS = 120  # as long may a unit take to start, stop or reload
FLAPPING_RESTARTS = 3  # as many restarts, the last within FLAPPING_SECONDS, are no accident any more
FLAPPING_SECONDS = 60

OK, WARNING, CRITICAL, UNKNOWN = Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN

RULES = (
    Rule("absent", CRITICAL, "LoadState=not-found, not active", "There is no such unit here."),
    Rule(
        "file-gone",
        CRITICAL,
        "LoadState=not-found, active",
        "It runs, and its unit file was deleted: it will not come back after a boot.",
    ),
    Rule("masked", CRITICAL, "LoadState=masked, not active", "Nothing can start it."),
    Rule("masked-running", WARNING, "LoadState=masked, active", "It runs, and nothing can start it again."),
    Rule("bad-unit-file", CRITICAL, "LoadState=bad-setting or error", "systemd cannot read its unit file."),
    Rule(
        "failed",
        CRITICAL,
        "ActiveState=failed",
        "It ended badly; Result, exit code or signal say how. Also when it is disabled: the check wants it.",
    ),
    Rule(
        "restarting",
        CRITICAL,
        "SubState=auto-restart, auto-restart-queued",
        "It ended and waits for its next start. With Restart=always it may never get `failed`, however often it dies.",
    ),
    Rule(
        "oneshot-running",
        OK,
        "activating, Type=oneshot",
        "It does its work just now; a oneshot is never active before it ends.",
    ),
    Rule(
        "starting",
        WARNING,
        f"activating for less than {GRACE_SECONDS} s",
        "It is not there yet. What needs it is blocked meanwhile.",
    ),
    Rule(
        "stuck-starting",
        CRITICAL,
        f"activating for {GRACE_SECONDS} s or more",
        "It does not get ready. With TimeoutStartSec=infinity (docker, crio) systemd waits for ever.",
    ),
    Rule("stopping", WARNING, f"deactivating for less than {GRACE_SECONDS} s", "It is being stopped."),
    Rule("stuck-stopping", CRITICAL, f"deactivating for {GRACE_SECONDS} s or more", "It does not end."),
    Rule(
        "reloading",
        OK,
        f"reloading or refreshing for less than {GRACE_SECONDS} s",
        "It serves and reads its configuration again.",
    ),
    Rule(
        "stuck-reloading",
        WARNING,
        f"reloading or refreshing for {GRACE_SECONDS} s or more",
        "The reload does not end.",
    ),
    Rule(
        "flapping",
        CRITICAL,
        f"active, NRestarts >= {FLAPPING_RESTARTS}, the last less than {FLAPPING_SECONDS} s ago",
        "It runs just now, between two crashes. One look cannot tell a loop from a third crash in a year that was just "
        "now; both want a person.",
    ),
    Rule(
        "active",
        OK,
        "ActiveState=active",
        "It is as it should be: running, exited with RemainAfterExit, listening, waiting, mounted, ...",
    ),
    Rule("maintenance", CRITICAL, "ActiveState=maintenance", "It waits for a repair."),
    Rule(
        "start-queued",
        WARNING,
        "inactive, a job is queued",
        "systemd will start it when what it waits for is there.",
    ),
    Rule(
        "condition",
        OK,
        "inactive, ConditionResult=false",
        "Its own unit file says that it is not meant to run on this host as it is now.",
    ),
    Rule(
        "oneshot-done",
        OK,
        "inactive, Type=oneshot without RemainAfterExit",
        "A finished oneshot is inactive, and systemd forgets it at once. One that ended badly is failed.",
    ),
    Rule(
        "on-demand",
        OK,
        "inactive, TriggeredBy an active socket, timer or path; if enabled, it ended by itself",
        "It is started when it is needed: sshd with ssh.socket, or libvirtd, which ends when it is idle. An enabled "
        "unit that was stopped by hand, or has Restart=always, is not idle.",
    ),
    Rule(
        "trigger-dead",
        CRITICAL,
        "inactive, TriggeredBy only units that are not active",
        "It would be started on demand, but nothing is there to do it.",
    ),
    Rule(
        "not-running",
        CRITICAL,
        "inactive otherwise",
        "It was stopped, or never started. The message says whether it is enabled.",
    ),
    Rule(
        "unrecognised",
        UNKNOWN,
        "any other ActiveState or LoadState",
        "A state that this version of nodecheck does not know.",
    ),
)
