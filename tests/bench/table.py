"""The table that the bench prints."""

from collections.abc import Mapping

from .measure import Figures
from .scenes import Goal

MEMORY_LIMIT = 60 << 20
NAME_WIDTH = 42
LOADING_AIM = 0.15e-3  # seconds a check
NOTES = f"""\
Times in ms: wall time by hyperfine, the median and the shortest; CPU is the median of the user and system time of all
processes of a run together. Memory in MiB: the largest sum of PSS over all processes of a run that was seen; the limit
for nodecheck is {MEMORY_LIMIT >> 20}. "of goss": the median as a multiple of that of goss, then the aim and the limit.
"equal": the facts that goss checks (running, enabled), and nothing remembered, as with goss. "healthy": what nodecheck
looks at when nothing else is said.
Both tools write to /dev/null. Into that nodecheck emits no events, which costs less: the row "with events" has them
(structlog is imported, and JSON lines go to a pipe)."""


def heading(title: str, *, compared: bool = True) -> str:
    """The lines above the figures of some commands."""
    columns = ["median", "min", "CPU", "memory"] + ["of goss"] * compared
    return f"\n{title:{NAME_WIDTH}}" + "".join(f" {column:>8}" for column in columns)


def rows(figures: Mapping[str, Figures], goal: Goal) -> list[str]:
    """The lines of a scene; goss is the first."""
    goss = next(iter(figures.values()))
    return [row(name, measured, None if measured is goss else goss, goal) for name, measured in figures.items()]


def row(name: str, measured: Figures, goss: Figures | None = None, goal: Goal | None = None) -> str:
    """The line of a command."""
    times = (measured.median, measured.fastest, measured.cpu)
    cells = "".join(f" {seconds * 1000:8.1f}" for seconds in times) + f" {measured.memory / (1 << 20):8.1f}"
    if goss and goal:
        ratio = measured.median / goss.median
        cells += f" {ratio:7.2f}x  {verdict(ratio, goal)}{memory_verdict(measured)}"
    return f"{name:{NAME_WIDTH}}{cells}"


def verdict(ratio: float, goal: Goal) -> str:
    """A ratio against what is wanted."""
    if ratio <= goal.aim:
        said = "reaches the aim"
    elif ratio <= goal.limit:
        said = "within the limit"
    else:
        said = "OVER THE LIMIT"
    return f"{said} ({goal.aim:g}x / {goal.limit:g}x)"


def loading(seconds: float) -> str:
    """The line about reading definitions, by check."""
    said = "reaches the aim" if seconds <= LOADING_AIM else "OVER THE AIM"
    return f"{'reading definitions, a check':{NAME_WIDTH}} {seconds * 1000:8.3f}  {said} ({LOADING_AIM * 1000:g} ms)"


def memory_verdict(measured: Figures) -> str:
    """Nothing, unless it is too much."""
    return ", TOO MUCH MEMORY" if measured.memory > MEMORY_LIMIT else ""
