"""The words that systemd has for the states of units: systemd's src/basic/unit-def.c, up to version 257."""

from __future__ import annotations

LOAD = frozenset("stub loaded not-found bad-setting error merged masked".split())
ACTIVE = frozenset("active reloading inactive failed activating deactivating maintenance refreshing".split())
SUB = frozenset(
    "abandoned active activating activating-done auto-restart auto-restart-queued cleaning condition dead "
    "dead-before-auto-restart dead-resources-pinned deactivating deactivating-sigkill deactivating-sigterm elapsed "
    "exited failed failed-before-auto-restart final-sigkill final-sigterm final-watchdog listening mounted mounting "
    "mounting-done plugged refresh-credentials refresh-extensions reload reload-notify reload-post reload-signal "
    "remounting remounting-sigkill remounting-sigterm running start start-chown start-open start-post start-pre stop "
    "stop-post stop-pre stop-pre-sigkill stop-pre-sigterm stop-sigkill stop-sigterm stop-watchdog tentative unmounting "
    "unmounting-sigkill unmounting-sigterm waiting".split()
)
# What people write who come from elsewhere: Ansible's module, `systemctl list-unit-files`, Docker.
ELSEWHERE = {"started": "running", "stopped": "inactive", "restarted": "running", "up": "running", "down": "inactive"}
EVERY = LOAD | ACTIVE | SUB | {"healthy", "absent"}
RESULTS = frozenset(
    "success protocol timeout exit-code signal core-dump watchdog start-limit-hit oom-kill exec-condition resources "
    "unmounting mount-start-limit-hit service-failed-permanent trigger-limit-hit unit-start-limit-hit "
    "service-start-limit-hit skip-condition".split()
)
