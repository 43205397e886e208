"""Secrets in what a server says: masked as in a record, and found out quickly where there are none."""

from __future__ import annotations

# Each rule of nodecheck/node/secrets.py needs one of these; to compile all rules takes longer than to ask a server.
SUSPICIOUS = (
    r"(?i)token|pass|secret|credential|key|auth|cookie|bearer|mysql|mariadb|redis|ldap|curl|wget|@|eyJ|akia|asia|abia|"
    r"acca|gh[pousr]_|_pat_|glpat|xox|hv[sbr]\.|npm_|sk_live|[a-z0-9]{6}\.[a-z0-9]{16}"
)


def mask(text: str) -> str:
    """Return a text without its secrets."""
    import re

    if not re.search(SUSPICIOUS, text):
        return text
    from nodecheck.node import secrets

    return secrets.mask(text)
