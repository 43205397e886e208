"""The pages about the language of definitions: its keywords, and its variables and expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodecheck.cli.markdown import items, section, table
from nodecheck.definitions.keywords import ANYWHERE, DEFAULTS, KEYWORDS, TAKES
from nodecheck.definitions.scope import PRECEDENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nodecheck.definitions.keywords import Keyword

LEVELS_EXAMPLE = """\
```yaml
- name: Web
  hosts: all:!control_plane
  vars: {services: [nginx.service, php-fpm.service]}
  tags: [web]
  checks:
    - name: "{{ item }} is healthy"
      unit: {name: "{{ item }}"}
      loop: "{{ services }}"
      register: units
      remedy: systemctl status {{ item }}

    - name: The port is open
      when: units is ok
      port: {port: 443}
      retries: 2
      delay: 1s

    - block:
        - name: nginx has few workers
          process: {name: nginx, count: "<= 64"}
          warn: {count: "<= 32"}
      severity: warning
      waive: {until: 2026-12-31, reason: TICKET-7}
```"""
EXPRESSIONS = """\
`{{ name }}` and `{{ name.part }}` look a variable up; alone in a text they keep its type.
All else between the braces is an expression of Jinja2, in its sandbox: `{{ port + 1 }}`, `{{ units | length }}`.
A variable is filled in where it stands: another value further in changes no variable that was made of it further out.
`when` and `until` are expressions already, and take no braces.
They have to be true or false: write `facts.x is defined`, not `facts.x`.
What is undefined is a mistake; but not in a check that its `when` skips.
What comes from the node is looked up and never rendered again.
Jinja2's filters and tests are there, and of Ansible's the filters FILTERS and the tests TESTS.
A registered result has the parts of a result in the JSON report, and `observed`: `{{ kubelet.observed.count }}`.
That of a loop or of a block has `status` and `results`.
Braces that are text are written `{{ '{{' }}`."""
FOUND_OUT = "`facts` and `groups` are what nodecheck found out: `nodecheck facts` shows them. They cannot be set."


def keywords() -> Iterator[str]:
    """Yield the page about keywords."""
    yield "# keywords"
    yield ""
    yield "Keywords stand beside the type of a check. On a block of checks, and on a whole play, they mean the same for"
    yield "all that is within: tags, needs and conditions add up, of all else the innermost counts."
    rows = [(f"`{word.name}`", _takes(word), word.help) for word in KEYWORDS]
    yield from section("Keywords", table(("keyword", "takes", ""), rows))
    yield from section("Example", LEVELS_EXAMPLE.splitlines())


def of_keyword(name: str) -> Iterator[str]:
    """Yield what one keyword is about."""
    (word,) = (keyword for keyword in KEYWORDS if keyword.name == name)
    yield f"# {name}"
    yield ""
    yield f"Takes {_takes(word)}."
    yield ""
    yield word.help
    yield ""
    yield "`nodecheck explain keywords` shows all of them, and an example."


def _takes(word: Keyword) -> str:
    where = "" if len(word.places) == len(ANYWHERE) else f"; on a {' or '.join(word.places)}"
    default = f"; default {DEFAULTS[word.name]}" if word.name in DEFAULTS else ""
    return f"{TAKES[word.takes]}{default}{where}"


def variables() -> Iterator[str]:
    """Yield the page about variables and expressions."""
    from nodecheck.definitions.jinja import FILTERS, TESTS

    yield "# variables"
    yield ""
    yield "Texts in definitions may hold expressions over variables."
    rows = [(str(number), where) for number, (_, where) in enumerate(PRECEDENCE, 1)]
    yield from section("Where variables come from", table(("", "each wins over those above it"), rows))
    yield ""
    yield FOUND_OUT
    names = {"FILTERS": FILTERS, "TESTS": TESTS}
    told = EXPRESSIONS
    for word, known in names.items():
        told = told.replace(word, ", ".join(f"`{name}`" for name in known))
    yield from section("Expressions", items(told.splitlines()))
