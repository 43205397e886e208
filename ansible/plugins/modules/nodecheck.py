#!/usr/bin/python
# Copyright: the nodecheck maintainers
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Ask nodecheck whether the host is healthy."""

DOCUMENTATION = r"""
module: nodecheck
short_description: Whether a host is healthy, and why not
version_added: "0.1.0"
author: The nodecheck maintainers (@nodecheck)
description:
  - Runs C(nodecheck run) on the host and returns its report.
  - Fails when the host is as sick as O(fail_on) says, or when it could not be judged at all. So a play stops there.
  - Changes nothing. Not even the memory of nodecheck's own timer is touched, and no event is told.
  - So a fault counts at once, also where C(for) says that it has to hold for a while; what takes earlier runs to know
    is unknown.
requirements:
  - nodecheck on the host, which needs Python 3.11 or newer. The role P(nodecheck.nodecheck.nodecheck#role) installs it.
notes:
  - Who is not root does not see all, and what is not seen is unknown. Use C(become).
attributes:
  check_mode:
    description: Does the same in check mode, since it changes nothing.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  platform:
    description: Where nodecheck runs.
    platforms: linux
    support: full
options:
  tags:
    description: Only checks with one of these tags.
    type: list
    elements: str
    default: []
  skip_tags:
    description: No checks with one of these tags.
    type: list
    elements: str
    default: []
  checks:
    description: Definition files, or directories of them, on the host. Without any, the installed ones.
    type: list
    elements: path
    default: []
  extra_vars:
    description: Variables, which win over all others.
    type: dict
    default: {}
  budget:
    description: The run ends within this time, such as V(20s), whatever hangs. Without it, that of the host's settings.
    type: str
  fail_on:
    description:
      - Fail when the status of the host is this one or a worse one.
      - From bad to worse these are V(warning), V(unknown) and V(critical). With V(never) no status fails.
      - V(unknown) is the default since a host that could not be seen is not known to be healthy.
    type: str
    choices: [critical, unknown, warning, never]
    default: unknown
  quiet:
    description: Leave out of RV(report) the results of what is well, skipped or blocked by another check.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Go on only with hosts that are healthy
  nodecheck.nodecheck.nodecheck:
    tags: quick

- name: Wait until a node that was upgraded is well again
  nodecheck.nodecheck.nodecheck:
    tags: [kubelet, runtime]
    skip_tags: [deep]
    budget: 20s
  register: health
  until: health is succeeded
  retries: 10
  delay: 6

- name: Judge by a file of this site, and only look at what is said
  nodecheck.nodecheck.nodecheck:
    checks: /etc/nodecheck/before-upgrade.yaml
    extra_vars:
      wanted_version: "1.32"
    fail_on: never
  register: health
"""

RETURN = r"""
status:
  description: The worst status of all checks.
  returned: when the host was judged
  type: str
  sample: critical
exit_code:
  description: What C(nodecheck run) ended with.
  returned: when nodecheck is installed
  type: int
  sample: 2
problems:
  description: A line for each check that is not well, the worst first, and for each problem of the run itself.
  returned: when the host was judged
  type: list
  elements: str
  sample: ["critical: docker.service is healthy: docker.service has failed: main process killed by SIGKILL"]
report:
  description: The report, as C(nodecheck run -o json) prints it. C(nodecheck schema report) tells what is in it.
  returned: when the host was judged
  type: dict
  sample: {"schema": "nodecheck.report/1", "status": "critical", "summary": {"ok": 2, "critical": 1}, "results": []}
"""

import json

from ansible.module_utils.basic import AnsibleModule

# From best to worst.
NOT_WELL = ("info", "warning", "unknown", "critical")
MISSING = (
    "nodecheck is not installed on this host: install its package, "
    "for example with the role nodecheck.nodecheck.nodecheck"
)


def command(program, wanted):
    """Return the command line: no memory and no events, which are the timer's."""
    argv = [program, "run", "--output", "json", "--state", "none", "--events", "never"]
    for option in ("tags", "skip_tags"):
        if wanted[option]:
            argv += ["--" + option.replace("_", "-"), ",".join(wanted[option])]
    for path in wanted["checks"]:
        argv += ["--checks", path]
    if wanted["extra_vars"]:
        argv += ["--extra-vars", json.dumps(wanted["extra_vars"], ensure_ascii=False)]
    if wanted["budget"]:
        argv += ["--budget", wanted["budget"]]
    return argv


def read(text):
    """Return the report, or None where nodecheck made none."""
    try:
        report = json.loads(text)
    except ValueError:
        return None
    return report if isinstance(report, dict) and "results" in report else None


def problems_of(report):
    """Return a line for each check that is not well, the worst first, and for each problem of the run."""
    bad = [result for result in report["results"] if result["status"] in NOT_WELL]
    bad.sort(key=lambda result: -NOT_WELL.index(result["status"]))
    lines = ["{status}: {name}: {message}".format(**result) for result in bad]
    return [" ".join(line.split()) for line in lines + ["nodecheck: " + said for said in report["problems"]]]


def headline(report):
    """Return what is said of the whole host."""
    counts = ", ".join(f"{count} {status}" for status, count in report["summary"].items() if count)
    status = report["status"] if report["status"] in NOT_WELL else "well"
    return f"{report['node']['hostname']} is {status}: {counts}"


def is_too_bad(status, fail_on):
    """Tell whether this status is the one to fail on, or worse."""
    return fail_on != "never" and status in NOT_WELL and NOT_WELL.index(status) >= NOT_WELL.index(fail_on)


def main():
    """Run nodecheck, and tell what it said."""
    texts = {"type": "list", "elements": "str", "default": []}
    module = AnsibleModule(
        argument_spec={
            "tags": texts,
            "skip_tags": texts,
            "checks": {"type": "list", "elements": "path", "default": []},
            "extra_vars": {"type": "dict", "default": {}},
            "budget": {"type": "str"},
            "fail_on": {"type": "str", "choices": ["critical", "unknown", "warning", "never"], "default": "unknown"},
            "quiet": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    program = module.get_bin_path("nodecheck")
    if program is None:
        module.fail_json(msg=MISSING)
    exit_code, output, errors = module.run_command(command(program, module.params))
    report = read(output)
    if report is None:
        said = (errors or output).strip()
        module.fail_json(msg=f"nodecheck could not judge this host:\n{said}", exit_code=exit_code)
    problems = problems_of(report)
    status = report["status"]
    if module.params["quiet"]:
        report["results"] = [result for result in report["results"] if result["status"] in NOT_WELL]
    told = {"status": status, "exit_code": exit_code, "problems": problems, "report": report}
    if is_too_bad(status, module.params["fail_on"]):
        module.fail_json(msg="\n".join([headline(report), *problems]), **told)
    module.exit_json(changed=False, msg=headline(report), **told)


if __name__ == "__main__":
    main()
