"""The keywords of plays, blocks and checks.

The only table from which reading them, `nodecheck explain keywords` and the schema are made.
"""

from __future__ import annotations

from typing import NamedTuple

PLAY, BLOCK, CHECK = "play", "block", "check"
SEVERITIES = ("critical", "warning", "info")
DEFAULT_TIMEOUT_SECONDS = 5.0
DEFAULT_RETRIES = 3  # Ansible's
DEFAULT_DELAY_SECONDS = 5.0  # Ansible's
MOST_RETRIES = 1000


class Keyword(NamedTuple):
    """A keyword: where it may stand, what it takes in words, and what it does.

    `takes` is a key of TAKES below, and of a table in schema.py.
    """

    name: str
    places: tuple[str, ...]
    takes: str
    help: str


ANYWHERE = (PLAY, BLOCK, CHECK)
KEYWORDS = (
    Keyword("name", ANYWHERE, "text", "What should be so, in a sentence. It stands in every report."),
    Keyword("hosts", (PLAY,), "hosts", "For which groups of nodes: a:b either, a:&b both, a:!b not b; * and ? match."),
    Keyword("checks", (PLAY,), "checks", "The checks of the play, and blocks of them."),
    Keyword("block", (BLOCK,), "checks", "Checks that share the keywords beside it."),
    Keyword("include", (BLOCK,), "path", "A file beside this one with a list of checks: read as a block of them."),
    Keyword("import", (PLAY,), "path", "A file of plays, beside this one: read as if its plays stood here."),
    Keyword(
        "id", (BLOCK, CHECK), "identifier",
        "What other checks need it by and a history knows it by. Made from the name where it is left out.",
    ),
    Keyword("vars", ANYWHERE, "variables", "Variables for all that is within."),
    Keyword(
        "tags", ANYWHERE, "words",
        "What -t and --skip-tags choose by. always: with every -t; never: only when it is asked for by a tag.",
    ),
    Keyword(
        "when", ANYWHERE, "conditions",
        "An expression that is true or false, or a list of which all have to be true; else the check is skipped.",
    ),
    Keyword("loop", ANYWHERE, "loop", "A list: once for each of its items, which is {{ item }}."),
    Keyword(
        "loop_control", ANYWHERE, "loop_control",
        "label: what an item is called in names and ids. loop_var: the variable instead of item.",
    ),
    Keyword(
        "register", ANYWHERE, "variable",
        "A variable that holds the result for later checks: {{ x.status }}, {{ x.observed.property }}. They need this "
        "check by that, unless their `when` looks at it.",
    ),
    Keyword(
        "needs", ANYWHERE, "words",
        "Names, ids or tags of checks: when one is not ok, this one is blocked, and a `command` is not run. "
        "One that works, and is only beyond its `warn`, blocks no more than a warning or an unknown. One that "
        "nodecheck lacks a package or a permission to look at blocks what lacks the same and a `command`, and nothing "
        "else.",
    ),
    Keyword(
        "severity", ANYWHERE, "severity",
        "What it is when it is not as wanted: critical, warning or info. info never changes the exit code.",
    ),
    Keyword("warn", ANYWHERE, "expectations", "Milder expectations: where only these are broken, it is a warning."),
    Keyword("for", ANYWHERE, "hold", "Only confirmed when it was so for 3 runs, or for 2m; only reported before."),
    Keyword("timeout", ANYWHERE, "duration", "How long looking at it may take."),
    Keyword(
        "until", ANYWHERE, "conditions",
        "Look again until this is true; `result` is the result so far. Without it, `retries` looks until it is ok.",
    ),
    Keyword("retries", ANYWHERE, "retries", "How often to look again."),
    Keyword("delay", ANYWHERE, "delay", "How long to wait before looking again."),
    Keyword(
        "waive", ANYWHERE, "waive",
        "until: a date, reason: a text. Up to and with that day it is reported as skipped when it is not ok.",
    ),
    Keyword(
        "remedy", ANYWHERE, "text",
        "Commands that a person can type when it is not ok; what nodecheck knows of the case is told before them.",
    ),
    Keyword("docs", ANYWHERE, "text", "Where to read what breaks when this breaks: a page, or a link to one."),
)  # fmt: skip
# What a keyword takes, in words.
TAKES = {
    "text": "a text",
    "hosts": "a host pattern, or a list of them",
    "checks": "a list of checks and blocks",
    "path": "the path of a file",
    "identifier": "a text",
    "variables": "a mapping",
    "expectations": "a mapping",
    "words": "a text, or a list of texts",
    "conditions": "an expression, or a list of them",
    "loop": "a list",
    "loop_control": "label, loop_var",
    "variable": "a name",
    "severity": "critical, warning or info",
    "hold": "3 runs, or a time such as 2m",
    "duration": "a time such as 5s",
    "retries": "a whole number",
    "delay": "a time such as 5s; a bare number is seconds",
    "waive": "until, reason",
}
DEFAULTS = {
    "severity": "critical", "timeout": "5s",
    "retries": "3 where there is an `until`, else 0", "delay": "5s", "loop_control": "loop_var: item",
}  # fmt: skip


def keywords_of(place: str) -> tuple[str, ...]:
    """Return the keywords that may stand in a play, a block or a check."""
    return tuple(keyword.name for keyword in KEYWORDS if place in keyword.places)


OF_PLAY = tuple(name for name in keywords_of(PLAY) if name != "import")
OF_IMPORT = tuple(name for name in keywords_of(PLAY) if name not in ("name", "hosts", "checks", "register"))
OF_BLOCK = keywords_of(BLOCK)
OF_CHECK = keywords_of(CHECK)

NOTHING_CHANGES = "nodecheck changes nothing, so there is nothing to "
# Keys of other tools, and what to write instead.
FROM_OTHER_TOOLS = {
    "tasks": "a play of nodecheck holds checks:",
    "hosts": "the hosts are chosen for a whole play",
    "become": "nodecheck runs as the user who calls it",
    "gather_facts": "facts are always there: nodecheck facts",
    "service": "the type for systemd units is unit",
    "systemd": "the type for systemd units is unit, for systemd itself system",
    "systemd_service": "the type for systemd units is unit, for systemd itself system",
    "wait_for": "the type for ports is port, and until: looks again",
    **dict.fromkeys(("shell", "raw", "script", "exec"), "the type for programs is command: {run: a b, shell: true}"),
    "uri": "the type for URLs is http",
    "url": "the type for URLs is http",
    "stat": "the type for files is file",
    "certificate": "the type for certificates is tls",
    "container": "the types for containers are docker, cri and pods",
    "k8s_info": "the type for pods is pods; no API server is asked",
    "socket": "the types for sockets are port, tcp, and unit for those of systemd",
    "ping": "the type for connections is tcp",
    "cpu": "the types for processors are load and pressure, and process: {cpu: ...} for one process",
    "ntp": "the type for the clock is clock",
    "log": "the type for the journal is journal, and file has lines: for other logs",
    "fail": "the type for expressions is assert",
    "notify": f"{NOTHING_CHANGES}notify of",
    "handlers": f"{NOTHING_CHANGES}handle",
    "rescue": f"{NOTHING_CHANGES}rescue",
    "always": "a tag: tags: [always]; checks never stop each other",
    "changed_when": f"{NOTHING_CHANGES}report as changed",
    "failed_when": "say what is wanted in the arguments of the check type",
    "ignore_errors": "severity: info is for what may fail",
    "no_log": "secrets are masked by themselves",
    "vars_files": "-e @file reads variables, and so does /etc/nodecheck/nodecheck.yaml",
    "roles": "import: file.yaml reads the plays of another file",
    "import_playbook": "import: file.yaml reads the plays of another file",
    "include_tasks": "include: file.yaml reads the checks of another file",
    "import_tasks": "include: file.yaml reads the checks of another file",
    "<<": "YAML 1.2 has no merge keys: write the keys out, or use vars",
    **dict.fromkeys(("with_items", "with_list", "with_dict", "with_fileglob"), "loop: is a list of items"),
}
# Who writes these will be told of them, and misses nothing else.
MEANT = {"tasks": {"checks"}, "roles": {"checks"}, "import_playbook": {"checks", "hosts"}}
