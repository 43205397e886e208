"""The setting `events`: which events a run tells, and where they go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.definitions.errors import closest, did_you_mean
from nodecheck.definitions.values import read_choice, read_duration, read_text

if TYPE_CHECKING:
    from nodecheck.definitions.errors import Mistakes
    from nodecheck.definitions.yamlfile import Value

KEYS = ("emit", "repeat", "to")
EMIT = ("changes", "all")
DIALECTS = ("native", "ecs", "otel")
REPEAT_SECONDS = 3600.0
SCHEMES = ("unix", "udp", "tcp", "tls")
ADDRESS = "unix:/PATH, udp://HOST:514, tcp://HOST:601 or tls://HOST:6514"
OF_TLS = ("ca", "certificate", "key", "server_name")


class Option(NamedTuple):
    """An option of a sink: what it is for, how it is read, and whether it has to be there."""

    help: str
    kind: str = "text"
    required: bool = False


DIALECT = Option("Names of fields: native (those of the report), ecs (Elastic) or otel (OpenTelemetry).", "dialect")
# Each is a file below nodecheck/events/.
SINKS: dict[str, dict[str, Option]] = {
    "journal": {},
    "stdout": {"dialect": DIALECT},
    "stderr": {"dialect": DIALECT},
    "file": {
        "path": Option("Absolute path of the file that lines of JSON are added to.", "path", required=True),
        "dialect": DIALECT,
    },
    "syslog": {
        "address": Option(f"Where to: {ADDRESS}.", "address", required=True),
        "dialect": DIALECT,
        "ca": Option("File of the authorities to trust, for tls; the system's, when left out.", "path"),
        "certificate": Option("File of the certificate of this node, for tls.", "path"),
        "key": Option("File of its key, when it is not in the same file.", "path"),
        "server_name": Option("Name that the server's certificate has, when it is not that of the address."),
    },
}


class SinkSetting(NamedTuple):
    """A place that events go to, as it is set: a kind of sink with its options."""

    kind: str
    options: dict[str, Any]


class EventSettings(NamedTuple):
    """Which events go where. `repeat` is in seconds; without sinks, it depends on where a run is started."""

    emit: str = EMIT[0]
    repeat: float = REPEAT_SECONDS
    sinks: tuple[SinkSetting, ...] = ()


def read_events(value: Value | None, mistakes: Mistakes) -> EventSettings:
    """Return what is set of events; the defaults for what is not."""
    settings = EventSettings()
    if value is None or value.data is None:
        return settings
    if not isinstance(value.data, dict):
        mistakes.add(value.mark, f"events is a mapping, not {value.kind()}", "events: {to: [journal]}")
        return settings
    for key in value.data:
        if key not in KEYS:
            mistakes.add(value.key_marks[key], f"events has no key {key!r}", did_you_mean(key, KEYS))
    given = {key: item for key, item in value.data.items() if item.data is not None}
    if "emit" in given:
        settings = settings._replace(emit=read_choice("emit", given["emit"], EMIT, mistakes))
    if "repeat" in given:
        repeat = read_duration("repeat", given["repeat"], mistakes)
        settings = settings._replace(repeat=repeat or REPEAT_SECONDS)
    return settings._replace(sinks=_sinks(given["to"], mistakes)) if "to" in given else settings


def _sinks(value: Value, mistakes: Mistakes) -> tuple[SinkSetting, ...]:
    if not isinstance(value.data, list) or not value.data:
        mistakes.add(value.mark, f"to is a list of sinks: {', '.join(SINKS)}", "to: [journal]")
        return ()
    found: list[SinkSetting] = []
    for item in value.data:
        sink = _sink(item, mistakes)
        if sink and _target(sink) in map(_target, found):
            mistakes.add(item.mark, "events would go there twice", "each place stands in `to` once")
        elif sink:
            found.append(sink)
    return tuple(found)


def _target(sink: SinkSetting) -> tuple[str, Any]:
    return sink.kind, sink.options.get("path") or sink.options.get("address")


def _sink(item: Value, mistakes: Mistakes) -> SinkSetting | None:
    """A sink without options is its name alone, one with options a mapping of its name to them."""
    if isinstance(item.data, str):
        return _with_options(item.data.strip(), item, None, mistakes)
    if isinstance(item.data, dict) and len(item.data) == 1:
        (kind, inner), *_ = item.data.items()
        return _with_options(kind, item, inner, mistakes)
    mistakes.add(item.mark, "a sink is a name, or one name with its options", "- file: {path: /var/log/x.jsonl}")
    return None


def _with_options(kind: str, item: Value, inner: Value | None, mistakes: Mistakes) -> SinkSetting | None:
    mark = item.key_marks.get(kind, item.mark)
    options: dict[str, Value] = {} if inner is None or inner.data is None else inner.data
    if kind not in SINKS:
        mistakes.add(mark, f"there is no sink {kind!r}", did_you_mean(kind, SINKS))
        return None
    if inner is not None and not isinstance(options, dict):
        mistakes.add(inner.mark, f"{kind} takes a mapping of options, not {inner.kind()}")
        return None
    for name in options:
        if inner and name not in SINKS[kind]:
            mistakes.add(inner.key_marks[name], f"{kind} has no option {name!r}", _hint(name, kind))
    for name, option in SINKS[kind].items():
        if option.required and name not in options:
            mistakes.add(mark, f"{kind} needs {name}", option.help)
    read = {name: _option(name, kind, options.get(name), mistakes) for name in SINKS[kind]}
    return _without_surplus(SinkSetting(kind, {name: text for name, text in read.items() if text}), item, mistakes)


def _hint(name: str, kind: str) -> str:
    near = closest(name, SINKS[kind])
    return f"did you mean {near}?" if near else f"known here: {', '.join(SINKS[kind]) or 'none'}"


def _option(name: str, kind: str, value: Value | None, mistakes: Mistakes) -> str:
    takes = SINKS[kind][name].kind
    if takes == "dialect":
        return read_choice(name, value, DIALECTS, mistakes) if value else DIALECTS[0]
    text = read_text(name, value, mistakes)
    if value is None or not text:
        return ""
    if takes == "path" and not text.startswith("/"):
        mistakes.add(value.mark, f"{name} is an absolute path, not {text!r}")
    if takes == "address" and not is_address(text):
        mistakes.add(value.mark, f"{text!r} is no address", ADDRESS)
    return text


def is_address(text: str) -> bool:
    """Tell whether a text is an address of syslog."""
    from urllib.parse import urlsplit  # 4 ms, and few settings have an address

    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme == "unix":
        return parts.path.startswith("/") and not parts.netloc
    rest = parts.path or parts.query or parts.fragment or parts.username
    return parts.scheme in SCHEMES and bool(parts.hostname) and port != 0 and not rest


def _without_surplus(sink: SinkSetting, item: Value, mistakes: Mistakes) -> SinkSetting:
    """Options of TLS would have no effect without it, and one would think the way secure."""
    address = sink.options.get("address", "tls:")
    surplus = [name for name in OF_TLS if name in sink.options and not address.startswith("tls:")]
    if surplus:
        mistakes.add(item.mark, f"{surplus[0]} is of TLS, and {address} is not", "address: tls://HOST:6514")
    return sink
