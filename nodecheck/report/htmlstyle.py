"""How the page of report/html.py looks: calm, so that what is not well stands out."""

from __future__ import annotations

COLOURS = {
    # status: on light, on dark; each is legible as text on its ground
    "ok": ("#2e7d4f", "#6cc08b"),
    "warning": ("#a15c00", "#e5b35a"),
    "critical": ("#b3261e", "#f28b82"),
    "unknown": ("#7a4ca0", "#c3a3e6"),
    "info": ("#2b66b1", "#8ab4f0"),
    "blocked": ("#52707d", "#95b3c0"),
    "skipped": ("#6b6f76", "#989ca4"),
}
LIGHT = "--ground:#fafaf8; --sheet:#ffffff; --ink:#1d1f22; --quiet:#61666d; --line:#e5e5e1; --track:#eeeeea;"
DARK = "--ground:#15171a; --sheet:#1c1f23; --ink:#e6e7e9; --quiet:#9da2a9; --line:#2c3035; --track:#282b30;"


def _palette(number: int) -> str:
    return " ".join(f"--{status}:{colours[number]};" for status, colours in COLOURS.items())


def icon(status: str) -> str:
    """Return a dot in the colour of a status, as the address of an image."""
    colour = COLOURS[status][0].replace("#", "%23")
    circle = f"%3Ccircle cx='8' cy='8' r='7' fill='{colour}'/%3E"
    return f"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E{circle}%3C/svg%3E"


GROUNDS = f"""\
:root {{ color-scheme: light dark; {LIGHT} {_palette(0)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {DARK} {_palette(1)} }} }}
@media print {{ :root {{ color-scheme: light; {LIGHT} --ground:#fff; {_palette(0)} }} }}
"""
RULES = """\
* { box-sizing: border-box; margin: 0; }
body { background: var(--ground); color: var(--ink); max-width: 62rem; margin: 0 auto; padding: 2rem 1.5rem 3rem;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  overflow-wrap: anywhere; print-color-adjust: exact; -webkit-print-color-adjust: exact;
  -webkit-text-size-adjust: 100%; }
h1 { font-size: 1.75rem; line-height: 1.2; font-weight: 600; display: flex; flex-wrap: wrap; align-items: center;
  gap: .75rem; }
h2 { font-size: .8rem; font-weight: 600; letter-spacing: .04em; color: var(--quiet); margin: 2.25rem 0 .6rem;
  display: flex; justify-content: space-between; align-items: end; gap: 1rem; }
h3 { font-size: 1.05rem; font-weight: 600; line-height: 1.35; display: flex; align-items: baseline; gap: .7rem; }
.quiet, small, footer, dt, th[scope] { color: var(--quiet); }
small, .quiet { font-size: .87rem; }
header .quiet { margin-top: .35rem; }
.ok { --status: var(--ok); } .warning { --status: var(--warning); } .critical { --status: var(--critical); }
.unknown { --status: var(--unknown); } .info { --status: var(--info); } .blocked { --status: var(--blocked); }
.skipped { --status: var(--skipped); }
.mark { color: var(--status); font-size: .8rem; font-weight: 600; line-height: 1.5; white-space: nowrap; flex: none; }
.mark::before { content: ""; display: inline-block; width: .6em; height: .6em; margin-right: .5em;
  border-radius: 50%; background: var(--status); }
.mark.ok, .mark.skipped, .mark.blocked { font-weight: 400; }
.mark.skipped::before, .mark.blocked::before { background: none; border: 1.5px solid var(--status); }
h1 .mark { order: 2; font-size: .95rem; padding: .15em .75em; border-radius: 1em; border: 1px solid var(--status); }
.bar { display: flex; gap: 2px; height: 8px; margin: 1.25rem 0 .6rem; border-radius: 4px; overflow: hidden; }
.bar i { background: var(--status); min-width: 6px; flex-basis: 0; }
.bar .ok, .strip .ok { opacity: .55; } .bar .skipped, .bar .blocked { opacity: .45; }
.counts { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; color: var(--status); }
.counts li { color: var(--status); } .counts b { font-variant-numeric: tabular-nums; }
.note { margin-top: .9rem; padding: .5rem .8rem; background: var(--sheet); border: 1px solid var(--line);
  border-radius: 6px; }
article { background: var(--sheet); border: 1px solid var(--line); border-left: 3px solid var(--status);
  border-radius: 6px; padding: .9rem 1.1rem 1rem; margin-bottom: .8rem; break-inside: avoid; }
article > p { margin: .35rem 0 .6rem; }
table { border-collapse: collapse; margin: .4rem 0 .7rem; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .15rem 1.4rem .15rem 0; font-weight: 400; }
td[class] { color: var(--status); }
th[scope=col] { font-size: .8rem; }
dl { display: grid; grid-template-columns: 4.6rem minmax(0, 1fr); gap: .2rem 1.1rem; font-size: .92rem; }
dd { margin: 0; }
pre { font: .92em/1.5 ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace; white-space: pre-wrap; }
details { background: var(--sheet); border: 1px solid var(--line); border-bottom-width: 0; padding: 0 .9rem;
  break-inside: avoid; }
details:first-of-type { border-radius: 6px 6px 0 0; }
details:last-of-type { border-radius: 0 0 6px 6px; border-bottom-width: 1px; }
details:only-of-type { border-radius: 6px; }
summary { display: grid; grid-template-columns: 5.2rem minmax(0, 1fr) minmax(0, auto) .6rem; gap: 0 .9rem;
  align-items: center; padding: .42rem 0; cursor: pointer; list-style: none; }
summary::-webkit-details-marker { display: none; }
summary::after { content: ""; width: .4em; height: .4em; border: solid var(--quiet); border-width: 0 1.5px 1.5px 0;
  transform: rotate(-45deg); opacity: .6; grid-column: -2; }
details[open] > summary::after { transform: rotate(45deg); }
summary .strip { width: 15rem; }
summary:hover > span:nth-child(2) { text-decoration: underline; text-decoration-color: var(--quiet);
  text-underline-offset: 3px; }
summary:focus-visible { outline: 2px solid var(--info); outline-offset: 2px; border-radius: 4px; }
details > :not(summary) { margin-left: 6.1rem; }
details > p { margin-bottom: .4rem; }
details > p:last-child { padding-bottom: .6rem; margin-bottom: 0; }
.strip { display: block; width: 100%; height: 12px; border-radius: 3px; background: var(--track); }
.strip rect { fill: var(--status); }
article .strip { margin: .2rem 0 .8rem; height: 14px; }
.axis { flex: 0 1 15rem; display: flex; justify-content: space-between; font-weight: 400; letter-spacing: 0;
  margin-right: calc(2.4rem + 1px); font-size: .8rem; }
footer { margin-top: 2.5rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .8rem; }
@media (max-width: 40rem) {
  body { padding: 1.25rem 1rem 2rem; }
  summary { grid-template-columns: minmax(0, 1fr) .6rem; padding: .55rem 0; }
  summary > * { grid-column: 1; }
  summary::after { grid-row: 1; }
  summary .strip { grid-column: 1 / -1; margin-top: .35rem; width: 100%; }
  details > :not(summary) { margin-left: 0; }
  h3 { flex-direction: column; gap: .1rem; }
  h2 { flex-wrap: wrap; }
  .axis { flex-basis: 100%; margin: 0 calc(.9rem + 1px); }
  article table { width: 100%; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 11px; }
  article, details, .note { background: none; }
}
"""
SHEET = GROUNDS + RULES
