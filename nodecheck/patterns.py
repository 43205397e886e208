"""Regular expressions: those of the code are compiled when they are first used, those of definitions may be wrong.

A run uses few of those of the code, and each takes 0.2 ms.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Later:
    """Stands for a compiled pattern, and compiles it for the first that asks for anything of it."""

    def __init__(self, source: Any, flags: int = 0) -> None:
        self._arguments = (source, flags)

    def __getattr__(self, name: str) -> Any:
        found = getattr(_compile(*self._arguments), name)
        setattr(self, name, found)
        return found


_compile = re.compile


def later(source: str, flags: int = 0) -> re.Pattern[str]:
    """Return the pattern; one that is wrong says so when it is used, so this is for those that stand in the code."""
    return cast("re.Pattern[str]", _Later(source, flags))


@contextmanager
def all_later() -> Iterator[None]:
    """Make all patterns so that are compiled within: those of a module that is imported for something else."""
    re.compile = cast("Any", _Later)
    try:
        yield
    finally:
        re.compile = _compile


def compile_regular_expression(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """Compile a pattern; raises ValueError that says what is wrong with it."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)  # [[:alpha:]] is legal and does not mean what its author meant
        try:
            return re.compile(pattern, re.IGNORECASE if ignore_case else 0)
        except FutureWarning as warning:
            raise ValueError(f"not a regular expression of Python: {warning}; [[:alpha:]] is [A-Za-z]") from warning
        except (re.error, OverflowError, RecursionError) as error:
            hint = "; * repeats what stands before it: any text is .*" if "nothing to repeat" in str(error) else ""
            raise ValueError(f"not a regular expression: {error}{hint}") from error
