"""What a record does not tell: secrets in command lines, in status texts of services and in files, by these rules.

The environment of processes is never read. A rule names the place of a secret, or its shape; the rest of
the text stays, so that a record still tells what runs how. What was masked reads <masked>, and a check
that looks for it is `unknown`.
"""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

from nodecheck.node.unobserved import MASK

# The last word of a name that says that what follows is secret; --token-auth-file and --tls-private-key-file go on.
WORDS = (
    r"(?:token|password|passwd|passphrase|passcode|passwort|secret|credentials?|api[-_.]?key|access[-_.]?key|"
    r"secret[-_.]?key|auth[-_.]?key|encryption[-_.]?key|signing[-_.]?key|requirepass|masterauth|[-_.]pass)"
)
NOT_SECRET = rf"(?!(?:true|false|yes|no|none|null|{MASK})\b)(?!{MASK})"


class Rule(NamedTuple):
    """`pattern` finds what stays before a secret, as the group `kept`, and the secret after it.

    In a pattern GAP stands for what divides two arguments, VALUE for one argument, REST for the rest of one,
    NAME for the start of a name. Repetitions have an end, for a command line may have 64 KiB.
    """

    name: str
    pattern: str
    why: str


RULES = (
    Rule(
        "private key",
        r"(?P<kept>-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----).*?(?=-----END|\Z)",
        "a PEM block with a private key; certificates are public",
    ),
    Rule(
        "JSON web token",
        r"(?P<kept>)\beyJ[\w-]{4,}\.[\w-]{4,}(?:\.[\w-]*)?",
        "service accounts and logins are such tokens",
    ),
    Rule(
        "bootstrap token",
        r"(?P<kept>)(?<![\w.-])[a-z0-9]{6}\.[a-z0-9]{16}(?![\w.-])",
        "kubeadm join: with it a node joins the cluster",
    ),
    Rule("AWS key", r"(?P<kept>)\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b", "the id of an access key"),
    Rule(
        "token of a service",
        r"(?P<kept>)\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|hv[sbr]\.|dckr_pat_|npm_|sk_live_)[\w.-]{10,}",
        "they begin with the name of their service",
    ),
    Rule(
        "URL",
        r"(?P<kept>(?<![\w+.-])[a-zA-Z][\w+.-]{0,30}://[^\s/:@]*:)(?!\d+(?:[/?#,\s]|\Z))[^\s@]+(?:@[^\s@/]+)*(?=@)",
        "scheme://user:password@host",
    ),
    Rule(
        "header",
        r"(?P<kept>(?i:authorization|cookie|set-cookie)\s*+:\s*+(?:(?i:basic|bearer|digest|token|negotiate)\s++)?+)"
        rf"{NOT_SECRET}[^\0\"'\n]+",
        "Authorization: Basic ..., Cookie: ...",
    ),
    Rule("bearer", rf"(?P<kept>\b(?i:bearer)\s+){NOT_SECRET}[^\s\0\"']+", "Bearer ..."),
    Rule(
        "option=",
        rf"(?P<kept>(?<![\w.-])-{{1,2}}NAME(?i:{WORDS})=){NOT_SECRET}REST",
        "--token=x, --admin-password=x, -Dkey.password=x",
    ),
    Rule(
        "option",
        rf"(?P<kept>(?<![\w.-])-{{1,2}}NAME(?i:{WORDS}|(?<=--)pass)GAP)(?!-){NOT_SECRET}VALUE",
        "--token x, --password x, --api-key x",
    ),
    Rule(
        "NAME=",
        rf"(?P<kept>(?<![\w.-])NAME(?i:{WORDS})=){NOT_SECRET}REST",
        "DB_PASSWORD=x, AWS_SECRET_ACCESS_KEY=x, token=x",
    ),
    Rule(
        "name:",
        rf"(?P<kept>(?<![\w.-])NAME(?i:{WORDS})[\"']?\s*+:\s*+)(?!//){NOT_SECRET}QUOTED",
        'X-Auth-Token: x, "password": "x"',
    ),
    Rule("pass:", rf"(?P<kept>\bpass:){NOT_SECRET}REST", "openssl -passin pass:x"),
    Rule(
        "mysql -p",
        rf"(?P<kept>(?:\A|[\s/\0])(?:mysql|mariadb)[\w-]*(?:GAP(?!-p)VALUE){{0,50}}?GAP-p){NOT_SECRET}VALUE",
        "mysql -px, mysqldump -px",
    ),
    Rule(
        "sshpass -p",
        rf"(?P<kept>(?:\A|[\s/\0])(?:sshpass(?:GAP(?!-p)VALUE){{0,50}}?GAP-p|redis-cli(?:GAP(?!-a)VALUE){{0,50}}?GAP-a"
        rf"|ldap\w+(?:GAP(?!-w)VALUE){{0,50}}?GAP-w)(?:GAP)?){NOT_SECRET}VALUE",
        "sshpass -p x, redis-cli -a x, ldapsearch -w x",
    ),
    Rule(
        "curl -u",
        rf"(?P<kept>(?:\A|[\s/\0])(?:curl|wget)(?:GAP(?!-u|--user|--proxy-user)VALUE){{0,50}}?GAP(?:-u|--user|--proxy-user)"
        rf"(?:GAP|=)?[^\s\0:]+:){NOT_SECRET}VALUE",
        "curl -u name:x",
    ),
)
# The same rules, where arguments are divided by NUL and in running text.
NAME = r"[\w.-]{0,60}?"
ARGUMENTS = {
    "NAME": NAME,
    "GAP": r"\0",
    "VALUE": r"[^\0]+",
    "REST": r"[^\0]+",
    "QUOTED": r"(?:\"[^\"\0]*\"|'[^'\0]*'|[^\0]+)",
}
TEXT = {
    "NAME": NAME,
    "GAP": r"[ \t]+",
    "VALUE": r"(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\0]+)",
    "REST": r"(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\0]+)",
    "QUOTED": r"(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\0,}\]]+)",
}


def mask(text: str) -> str:
    """Return a text without its secrets; doing it twice changes nothing more."""
    return _apply(text, _in_text)


def mask_shell(text: str) -> str:
    """Return a text for the shell without its secrets: each of its commands by itself, where that is sure."""
    tokens = _TOKEN.findall(text)
    if any(sign in text for sign in UNSURE) or "".join(tokens) != text:
        return mask(text)
    parts = itertools.groupby(tokens, lambda token: token[0] in OPERATORS)
    return "".join("".join(part) if divides else mask("".join(part)) for divides, part in parts)


def mask_arguments(arguments: list[str]) -> list[str]:
    """Return a command line without its secrets; an argument may be a text or a program of its own."""
    return [mask(argument) for argument in _apply("\0".join(arguments), _in_arguments).split("\0")]


def table() -> str:
    """Return the rules, one a line."""
    width = max(len(rule.name) for rule in RULES)
    return "\n".join(f"  {rule.name:<{width}}  {rule.why}" for rule in RULES)


def _apply(text: str, patterns: list[re.Pattern[str]]) -> str:
    for pattern in patterns:
        text = pattern.sub(rf"\g<kept>{MASK}", text)
    return text


def _compiled(words: dict[str, str]) -> list[re.Pattern[str]]:
    return [re.compile(_filled(rule.pattern, words), re.DOTALL) for rule in RULES]


def _filled(pattern: str, words: dict[str, str]) -> str:
    for word, meaning in words.items():
        pattern = pattern.replace(word, meaning)
    return pattern


# What ends a word of the shell, but in quotes or after a backslash (sh(1p), Token Recognition). With one of UNSURE
# there may be quotes in quotes, or text that is no command, and with a quotation that is not closed no token is sure:
# then ; may be a part of a secret.
OPERATORS = ";&|"
UNSURE = ("#", "<<", "$(", "$'", "`")
_TOKEN = re.compile(r"""\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^;&|'"\\]+|[;&|]+""", re.DOTALL)
_in_arguments = _compiled(ARGUMENTS)
_in_text = _compiled(TEXT)
