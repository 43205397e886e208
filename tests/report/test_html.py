"""The page, read by a parser and seen in Chromium, which is what people read it with."""

from __future__ import annotations

import html as html_text
import pathlib
import re
import sys
from html.parser import HTMLParser
from typing import NamedTuple

import pytest
from fakes import REALTIME, report, result
from readers import GOLDEN, golden, run

from nodecheck.report import html
from nodecheck.report.result import Status
from nodecheck.report.style import Style

HOUR = 3600.0
NOW = REALTIME + 0.113  # when the fake report was made
VOID = ("meta", "link")
LONG = "a_name_without_any_blank_in_it_" * 9


class Page(HTMLParser):
    """Which elements a page has, and whether each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "action", "data", "srcset")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("file", golden("html"), ids=lambda file: file.name)
def test_every_element_is_closed_and_nothing_is_loaded_or_run(file: pathlib.Path) -> None:
    page = Page(file.read_text())
    assert (page.open, {"script", "iframe", "object", "img"} & set(page.elements)) == ([], set())
    assert [address for address in page.addresses if not address.startswith("data:image/svg+xml,")] == []


def test_what_a_node_says_is_text() -> None:
    assert Page((GOLDEN / "markup.2.html").read_text()).elements.count("article") == 1


def test_causes_come_first_and_the_worst_before_the_others() -> None:
    text = (GOLDEN / "one-of-each.2.html").read_text()
    told = re.findall(r'<article class="(\w+)">', text)
    assert told == ["critical", "unknown", "warning"]
    assert text.index("<article") < text.index("<details")


# ---- strips


def _strips(history: dict[str, list[tuple[float, str]]], *checks: str) -> list[str]:
    made = report(*(result(check, Status.OK) for check in checks))
    return re.findall("<svg.*?</svg>", html.render(made._replace(history=history), Style()))


def _bars(strip: str) -> list[tuple[str, int, int]]:
    found = re.findall(r'<rect class="(\w+)" x="(\d+)" width="(\d+)"', strip)
    return [(status, int(at), int(width)) for status, at, width in found]


def test_without_history_nothing_is_drawn() -> None:
    assert _strips({}, "a") == []
    assert _strips({"a": []}, "a") == []
    assert "before</span>" not in html.render(report(result("a", Status.OK)), Style())


def test_a_strip_shows_what_a_check_was_from_one_change_to_the_next() -> None:
    changes = [(NOW - 10 * HOUR, "ok"), (NOW - 5 * HOUR, "critical"), (NOW - 2.5 * HOUR, "ok")]
    (strip,) = _strips({"a": changes}, "a", "b")
    assert _bars(strip) == [("ok", 0, 60), ("critical", 60, 30), ("ok", 90, 30)]


def test_all_strips_have_one_axis_and_what_is_not_known_stays_empty() -> None:
    old, young = _strips({"a": [(NOW - 10 * HOUR, "ok")], "b": [(NOW - HOUR, "ok")]}, "a", "b")
    assert (_bars(old), _bars(young)) == ([("ok", 0, 120)], [("ok", 108, 12)])


def test_where_nobody_looked_the_strip_is_empty() -> None:
    changes = [(NOW - 4 * HOUR, "ok"), (NOW - 3 * HOUR, ""), (NOW - HOUR, "critical")]
    (strip,) = _strips({"a": changes}, "a")
    assert _bars(strip) == [("ok", 0, 30), ("critical", 90, 30)]


def test_what_was_bad_for_a_moment_is_not_lost() -> None:
    changes = [(NOW - 1000 * HOUR, "ok"), (NOW - 500.5 * HOUR, "critical"), (NOW - 500.4 * HOUR, "ok")]
    (strip,) = _strips({"a": changes}, "a")
    assert ("critical", 59, 1) in _bars(strip)


def test_a_strip_stays_small_however_much_is_known() -> None:
    flapping = [(NOW - (20_000 - n) * 60, ("ok", "critical")[n % 2]) for n in range(20_000)]
    (strip,) = _strips({"a": flapping}, "a")
    assert _bars(strip) == [("critical", 0, 120)]


@pytest.mark.parametrize("since", [NOW, NOW + HOUR])
def test_a_clock_that_jumped_back_spoils_nothing(since: float) -> None:
    assert _strips({"a": [(since, "ok")]}, "a") == []
    assert len(_strips({"a": [(NOW - HOUR, "ok"), (since, "critical")]}, "a")) == 1


# ---- seen

PROBE = """<script>onload = () => {
  const page = frames[0].document, root = page.documentElement, style = getComputedStyle(page.body);
  document.title = [root.scrollWidth, root.clientWidth, style.backgroundColor, style.color,
    Math.min(...[...page.querySelectorAll('summary')].map(found => found.getBoundingClientRect().height))].join(';');
}</script>"""
SCHEMES = {"dark": 0, "light": 1}  # Chromium's numbers


class Seen(NamedTuple):
    """What was seen of a page; `width` is what it takes, `room` what it has, `row` the height of its lowest row."""

    width: int
    room: int
    ground: str
    ink: str
    row: float
    console: list[str]


def _see(text: str, width: int, folder: pathlib.Path, scheme: str = "light") -> Seen:
    """Show a page in a frame: a window of Chromium's is never as narrow as a phone."""
    frame = f'<iframe style="border:0;width:{width}px;height:2000px" srcdoc="{html_text.escape(text)}"></iframe>'
    (folder / "frame.html").write_text(f'<!DOCTYPE html><meta name="color-scheme" content="light dark">{frame}{PROBE}')
    ended = _chromium(folder, scheme, "--dump-dom", f"file://{folder}/frame.html")
    found = re.search("<title>(.*?)</title>", ended.stdout)
    assert found, ended.stderr
    taken, room, ground, ink, row = found[1].split(";")
    console = [line for line in ended.stderr.splitlines() if "CONSOLE" in line]
    return Seen(int(taken), int(room), ground, ink, float(row), console)


def _chromium(folder: pathlib.Path, scheme: str, *arguments: str):  # type: ignore[no-untyped-def]  # as `run` has it
    return run(
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
        f"--user-data-dir={folder}/profile", f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
        "--enable-logging=stderr", "--hide-scrollbars", *arguments,
    )  # fmt: skip


def _full() -> str:
    """A page with all that there is, of long words."""
    results = [
        result(f"{status} {LONG}", status, f"message {LONG}", remedy=f"echo {LONG}", source=f"/{LONG}.yaml:1")
        for status in Status
    ]
    changes = [(NOW - 10 * HOUR, "ok"), (NOW - HOUR, "critical")]
    made = report(*results, problems=(f"problem {LONG}",), node={"hostname": LONG, "groups": [LONG]})
    return html.render(made._replace(history={result.id: changes for result in results}), Style())


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_has_to_be_scrolled_sideways_and_the_console_is_silent(width: int, tmp_path: pathlib.Path) -> None:
    seen = _see(_full(), width, tmp_path)
    assert (seen.width, seen.room, seen.console) == (width, width, [])


def test_a_page_that_is_too_wide_or_runs_something_is_noticed(tmp_path: pathlib.Path) -> None:
    wide = _full().replace("<main>", '<main><script>1</script><p style="width:999px">x</p>')
    seen = _see(wide, 390, tmp_path)
    assert (seen.width > 390, len(seen.console)) == (True, 1)


def test_it_is_dark_where_the_reader_wants_it_dark(tmp_path: pathlib.Path) -> None:
    light, dark = (_see(_full(), 390, tmp_path, scheme) for scheme in ("light", "dark"))
    assert [(seen.ground, seen.ink) for seen in (light, dark)] == [
        ("rgb(250, 250, 248)", "rgb(29, 31, 34)"),
        ("rgb(21, 23, 26)", "rgb(230, 231, 233)"),
    ]


def test_a_row_can_be_hit_with_a_finger(tmp_path: pathlib.Path) -> None:
    assert _see(_full(), 390, tmp_path).row >= 44


def test_it_prints(tmp_path: pathlib.Path) -> None:
    (tmp_path / "page.html").write_text(_full())
    _chromium(tmp_path, "dark", f"--print-to-pdf={tmp_path}/page.pdf", f"file://{tmp_path}/page.html")
    assert (tmp_path / "page.pdf").read_bytes()[:5] == b"%PDF-"


# ---- legible


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG 2 has it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["LIGHT", "DARK"])
def test_every_text_stands_out_from_its_ground(scheme: str) -> None:
    from nodecheck.report import htmlstyle

    named = dict(re.findall(r"--(\w+):(#[0-9a-f]{6})", getattr(htmlstyle, scheme)))
    grounds = [colour for name, colour in named.items() if name in ("ground", "sheet")]
    texts = [named["ink"], named["quiet"], *(both[scheme == "DARK"] for both in htmlstyle.COLOURS.values())]
    assert [(text, ground) for text in texts for ground in grounds if _contrast(text, ground) < 4.5] == []


def test_the_page_is_imported_only_when_it_is_asked_for() -> None:
    asked = "import sys; from nodecheck.report import formats; formats.parse(['json=x', 'text'])"
    told = "print([name for name in sys.modules if name.startswith('nodecheck.report.')])"
    ended = run(sys.executable, "-c", f"{asked}; {told}")
    assert "nodecheck.report.html" not in ended.stdout
    assert "nodecheck.report.json" in ended.stdout
