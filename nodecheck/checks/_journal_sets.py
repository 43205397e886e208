"""Named patterns of what the kernel, Docker and the kubelet write when a node is in trouble.

From node-problem-detector's config/kernel-monitor.json, readonly-monitor.json, docker-monitor.json and
disk-log-message-filelog.json (kubernetes/node-problem-detector, commit 6632ca67); pleg_unhealthy from the kubelet.
What newer kernels and those of arm64 write in other words was added, from kernel/hung_task.c, nf_conntrack_core.c and
arch/arm64/mm/fault.c.
"""

from __future__ import annotations

from nodecheck.node.windows.journal import Pattern

KERNEL = "_TRANSPORT=kernel"
DOCKER = "SYSLOG_IDENTIFIER=dockerd"
KUBELET = "SYSLOG_IDENTIFIER=kubelet"

SETS = {
    name: Pattern(name, source, expression)
    for name, source, expression in (
        ("oom_killing", KERNEL, r"Killed process \d+ (.+) total-vm:\d+kB, anon-rss:\d+kB, file-rss:\d+kB"),
        ("task_hung", KERNEL, r"task [\S ]+:\w+ blocked(?: in I/O wait)? for more than \w+ seconds\."),
        ("docker_hung", KERNEL, r"task docker[\w-]*:\w+ blocked(?: in I/O wait)? for more than \w+ seconds\."),
        ("unregister_net_device", KERNEL, r"unregister_netdevice: waiting for \S+ to become free\. Usage count = \d+"),
        (
            "kernel_oops",
            KERNEL,
            r"BUG: (unable to handle|kernel NULL pointer)|Unable to handle kernel |divide error: 0000 \[#\d+\]",
        ),
        ("soft_lockup", KERNEL, r"BUG: soft lockup"),
        ("ext4_error", KERNEL, r"EXT4-fs error "),
        ("ext4_warning", KERNEL, r"EXT4-fs warning "),
        ("xfs_shutdown", KERNEL, r"XFS .* Shutting down filesystem"),
        ("io_error", KERNEL, r"Buffer I/O error "),
        ("memory_read_error", KERNEL, r"CE memory read error "),
        ("hardware_error", KERNEL, r"\[Hardware Error\]: event severity: (corrected|recoverable|fatal)"),
        ("readonly_filesystem", KERNEL, r"Remounting filesystem read-only"),
        ("conntrack_full", KERNEL, r"nf_conntrack: table full(?: in netns \d+)?, dropping packet"),
        (
            "corrupt_docker_image",
            DOCKER,
            r"Error trying v2 registry: failed to register layer: rename /var/lib/docker/image/.+ directory not empty",
        ),
        ("corrupt_docker_overlay2", DOCKER, r"returned error: readlink /var/lib/docker/overlay2.*: invalid argument"),
        (
            "docker_container_startup_failure",
            DOCKER,
            r"OCI runtime start failed: container process is already dead: unknown",
        ),
        ("pleg_unhealthy", KUBELET, r"PLEG is not healthy"),
    )
}
