"""Definition files around one keyword or one argument, and what the schema and `nodecheck lint` say of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jsonschema import Draft7Validator

from nodecheck import checks
from nodecheck.checks.base import kind_of
from nodecheck.definitions import schema
from nodecheck.definitions.errors import DefinitionError, Mistakes
from nodecheck.definitions.expectation import Expectation
from nodecheck.definitions.keywords import BLOCK, CHECK, PLAY
from nodecheck.definitions.sources import read_definitions
from nodecheck.definitions.variables import plain
from nodecheck.definitions.yamlfile import load

if TYPE_CHECKING:
    import pathlib

    from nodecheck.checks.base import Argument, Check

DEFINITIONS = schema.definitions()
VALIDATOR = Draft7Validator(DEFINITIONS)
VARIABLES = {
    "x": 1, "yes": True, "word": "warning", "day": "2026-12-31", "items": ["a", "b"], "map": {"a": 1},
    "facts": {"os": "debian"},
}  # fmt: skip


def types() -> dict[str, type[Check]]:
    return {name: kind for name in checks.names() if (kind := checks.type_named(name))}


def arguments() -> list[tuple[str, str]]:
    return [(name, argument) for name, kind in types().items() for argument in kind.arguments()]


def field(type_name: str, argument: str) -> Argument:
    return types()[type_name].arguments()[argument]


def read(text: str) -> Any:
    """Return plain data as nodecheck reads it: `no` and 0755 are texts. None when it is no YAML to nodecheck."""
    mistakes = Mistakes()
    value = load("x.yaml", text, mistakes)
    return plain(value) if value and not len(mistakes) else None


def fits(text: str) -> bool:
    return bool(VALIDATOR.is_valid(read(text)))


# ---- documents around one value


def play(entry: str, keywords: str = "") -> str:
    return f"- {{hosts: all, checks: [{entry}]{keywords}}}\n"


def written(keys: dict[str, str]) -> str:
    """Return a mapping in YAML; the values are YAML already."""
    return "{" + ", ".join(f"{key}: {value}" for key, value in keys.items()) + "}"


def example(type_name: str) -> dict[str, Any]:
    """Return the arguments in the example of a type."""
    return dict(read(types()[type_name].EXAMPLE)[0][type_name])


def with_keyword(place: str, keyword: str, value: str) -> str:
    """Return a definition file with this keyword, and all that it needs, at this place."""
    own = {PLAY: {"hosts": "all", "checks": "[{name: A, system: {}}]"}, CHECK: {"name": "A", "system": "{}"}}
    keys = own.get(place, {} if keyword == "include" else {"block": "[{name: A, system: {}}]"})
    if keyword == "import":
        keys = {}
    if keyword == "loop_control":
        keys["loop"] = "[a]"
    if keyword == "loop" and place == PLAY:
        keys["checks"] = "[{name: 'A {{ item }}', system: {}}]"
    keys[keyword] = value
    return f"- {written(keys)}\n" if place == PLAY else play(written(keys))


def with_argument(type_name: str, argument: str, value: str, *, warn: bool = False) -> str:
    """Return a definition file with the example of this type, and this argument in it or in its `warn`."""
    given = {name: json.dumps(item) for name, item in example(type_name).items()}
    if warn:
        return play(written({"name": "A", type_name: written(given), "warn": written({argument: value})}))
    return play(written({"name": "A", type_name: written({**given, argument: value})}))


def loads(text: str, folder: pathlib.Path) -> bool:
    """Tell whether `nodecheck lint` accepts it."""
    (folder / "checks.yaml").write_text("- {name: Included, system: {}}\n")
    (folder / "plays.yaml").write_text(play("{name: Imported, system: {}}"))
    (folder / "x.yaml").write_text(text)
    try:
        read_definitions([str(folder / "x.yaml")], VARIABLES, {}, frozenset({"all"}))
    except DefinitionError:
        return False
    return True


# ---- values

ANYWHERE_GOOD = {
    "name": ["A", "'{{ word }} is so'", "' A '"],
    "vars": ["{a: 1, _b: [1, {c: d}]}", "", "{}"],
    "tags": ["a", "'a, b,'", "[a, b]", "[]", "'{{ items }}'", "','"],
    "when": ["true", "facts.os == 'debian'", "[x is defined, false]"],
    "loop": ["[a, b]", "'{{ items }}'"],
    "loop_control": ["{label: '{{ item }}', loop_var: item}", "{}", "{loop_var: ' item '}"],
    "register": ["found", "' found '"],
    "needs": ["[]"],
    "severity": ["critical", "warning", "info", "'{{ word }}'", "' info '"],
    "warn": ["{state: running}", "{failed: '< 3', jobs: [1, 2..3]}"],
    "for": ["3 runs", "1 run", "2m", "3runs", "'{{ x }} runs'"],
    "timeout": ["5s", "1m 30s", "250ms", "'{{ x }}s'"],
    "until": ["result.status == 'ok'", "[true, result is ok]"],
    "retries": ["0", "1000", "'{{ x }}'"],
    "delay": ["5", "1.5", "0", "1m", "'{{ x }}'"],
    "waive": ["{until: 2026-12-31, reason: ticket 123}", "{until: '{{ day }}', reason: '{{ word }}'}"],
    "remedy": ["systemctl restart x", "'{{ word }}'"],
    "docs": ["https://example.org/x"],
}
GOOD = {
    **{(place, name): values for place in (PLAY, BLOCK, CHECK) for name, values in ANYWHERE_GOOD.items()},
    (PLAY, "hosts"): ["all", "a:&b:!c", "[a, '!b*']", "'{{ word }}'", "'a,b'"],
    (PLAY, "checks"): ["[{name: A, system: {}}]", "[{block: [{name: A, system: }]}]"],
    (PLAY, "import"): ["plays.yaml", "'{{ \"plays\" }}.yaml'"],
    (BLOCK, "block"): ["[{name: A, system: {}}]"],
    (BLOCK, "include"): ["checks.yaml"],
    (BLOCK, "id"): ["a-b.c_1", "größe", "'{{ word }}'"],
    (CHECK, "id"): ["a-b.c_1", "größe", "'{{ word }}'"],
}


def good_values(of: Argument) -> list[str]:
    kind = kind_of(of).read
    if isinstance(kind, type) and issubclass(kind, Expectation):
        return [json.dumps(one) for one in kind.EXAMPLES]
    if of.metadata["choices"]:
        return list(of.metadata["choices"])
    by_word = {
        "int": ["1", "'{{ x }}'"],
        "bool": ["true", "'{{ yes }}'"],
        "Conditions": ["true", "'x == 1'", "[true, 'x == 1']"],
        "Numbers": ["{a: 1, b.c: '< 3'}", "{a: [1, '{{ x }}']}"],
        "Texts": ["{a: x, b.c: /x/, d: 5}", "{a: [x, '{{ x }}']}"],
    }
    return by_word.get(of.type, ["x", "5", "0755", "1.10"])


SCALARS = """
5 0 -1 1.5 1.10 0755 0x1F 1e3 .5 true True no off ~ null '' ' ' x 'x y' a.service a-b a.b 7a _x größe 22:22 1001 99999
'5' 'true' < '< 3' '<3' ' >= 2 ' '!= 3' '== 3' '=> 3' '1..3' '3 .. 1' '-1..1' '1..' '> 1 and < 5' 50% '< 90 %' 10%..80%
2GiB '>= 500MB' '1.5 kB' 2gb 5s '> 10m' 1h30m '1m 30 s' 5min 0s 99999d '-5s' '5 parsecs' '1s..1m' '!= x' '!=' '=='
'== x' /re/ /re/i // //i '/[/' '*x' '!= D for 1m' 'D for 1m' '!= D for 1' '!= for 1m' 'for 1m' '3 runs' '1 run' '0 runs'
3runs '{{ x }}' '{{ items }}' '{{ map }}' '{{ yes }}' '{{ word }}' '{{ nobody }}' '{{ x' 'x {{ x }} y' '{x}'
'{{ ''< 3'' }}' critical warning ' info ' Warning tcp udp listening free system loopback 10.0.0.1 :: 2026-12-31
2026-02-30 '2026-12-31 ' all a:b 'a:&b' 'a:!b' ':' '!' ',' 'a, b,' ~web 'a:~b' web[0] '*' 'a b' facts groups item '@'
'x is defined' x==1 'x ==' checks.yaml plays.yaml nothing.yaml
"""


def _words(text: str) -> list[str]:
    """Split at blanks outside quotes."""
    words, open_quote = [""], False
    for letter in text:
        open_quote ^= letter == "'"
        words[-1:] = [words[-1] + letter] if open_quote or not letter.isspace() else [words[-1], ""]
    return [word for word in words if word]


VALUES = [
    *_words(SCALARS),
    "[]", "{}", "[a]", "[a, b]", "[1]", "[1, [2]]", "['']", "[~]", "[true]", "[5, x]", "['{{ x }}']", "['!= a']",
    "['!= a', '!= b']", "[[]]", "{a: b}", "{a: 1}", "{1: a}",
    "{not: 1}", "{not: [a, b]}", "{not: ''}", "{not: }", "{all: [1]}", "{all: []}", "{all: 1}", "{all: '{{ items }}'}",
    "{all: ['> 1', {not: 7}]}", "{all: [1], not: 2}", "{any: [1]}", "{not: D for 1m}", "{not: '!= x'}", "[{not: 1}]",
    "[{not: 1}, 2]", "{all: [[1, 2], 1..5]}", "{all: ['> 1MB', '< 2GiB']}", "{all: ['> 1s', '< 1m']}",
    "{until: 2026-12-31, reason: a}", "{until: 2026-12-31}", "{until: 2026-12-31, reason: 5}", "{reason: a, until: 1}",
    "{label: a}", "{label: 5}", "{label: [a]}", "{label: ''}", "{label: }", "{loop_var: x}", "{loop_var: a.b}",
    "{loop_var: }", "{label: '{{ item }}', loop_var: item}", "{lable: a}",
    "{state: running}", "{failed: 3}", "{state: true}", "{memory: 5}", "{memory: 2GiB}", "{name: a}", "{count: 1}",
    "{a: 1, b: [c]}", "{facts: 1}", "{a-b: 1}", "{a: }", "{state: running, a: b}",
    "[{name: B, system: {}}]", "[{name: B, system: }]", "[{block: [{name: B, system: {}}]}]", "[{name: B}]",
    "[{name: B, system: {}, when: false}]", "{name: B, system: {}}", "[{system: {}}]", "[{name: B, port: {port: 1}}]",
    "[x is defined, true]", "[false, 5]", "[false, '']", "[false, [a]]", "[true, '{{ x }}']", "[x == 1, yes]",
    "[a, '!b']", "[':', a]", "['!', a]", "[~a]", "[a, 5]",
]  # fmt: skip
