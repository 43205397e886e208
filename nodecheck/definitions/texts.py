"""Expectations of texts: a word, /a regular expression/, "!= word", "!= D for 1m"."""

from __future__ import annotations

import re
from itertools import chain, combinations
from typing import TYPE_CHECKING, Any, ClassVar, Self

from nodecheck.definitions.terms import Expectation, in_yaml
from nodecheck.durations import parse_duration
from nodecheck.patterns import compile_regular_expression, later

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from nodecheck.definitions.terms import Term

REGULAR_EXPRESSION = later(r"/(.*)/(i?)", re.DOTALL)
ALWAYS = float("inf")
# A regular expression that fits all of these fits whatever a node shows.
PROBES = ("", "x", "7", " ", "-", "\n", "nobody-would-call-it_THIS.9 \N{LATIN SMALL LETTER O WITH DIAERESIS}/" * 10)


class Word:
    """A literal text, or a regular expression."""

    __slots__ = ("pattern", "text")

    def __init__(self, text: str, pattern: re.Pattern[str] | None = None) -> None:
        self.text = text
        self.pattern = pattern

    def is_in(self, words: Iterable[str]) -> bool:
        """Tell whether it is one of these words, or is found in one."""
        return any(self.pattern.search(word) for word in words) if self.pattern else self.text in words

    def fits_all(self) -> bool:
        """Tell whether any text there is fits."""
        return self.pattern is not None and all(map(self.pattern.search, PROBES))


class Seen:
    """The words that a property shows at once, such as (active, running), and for how many seconds it has done so."""

    __slots__ = ("seconds", "words")

    def __init__(self, words: tuple[str, ...] | frozenset[str], seconds: float) -> None:
        self.words = words
        self.seconds = seconds

    def holds(self, word: Word) -> bool:
        """Tell whether the property is so."""
        return word.is_in(self.words)


class Sample:
    """What a property may show: these of the words that occur, perhaps with others that fit some patterns."""

    __slots__ = ("occurring", "seconds")

    def __init__(self, occurring: tuple[Word, ...], seconds: float) -> None:
        self.occurring = occurring
        self.seconds = seconds

    def holds(self, word: Word) -> bool:
        """As above. A literal that occurs may fit a pattern as well."""
        literals = (known.text for known in self.occurring if not known.pattern)
        return word in self.occurring or word.fits_all() or (word.pattern is not None and word.is_in(literals))


class Text(Expectation):
    """A text."""

    GRAMMAR = 'a text, /a regular expression/, "!= text", or a list for any of these'
    EXAMPLES: ClassVar[tuple[Any, ...]] = (
        "running",
        "/^kube-/",
        "!= failed",
        ["running", "exited"],
        {"not": ["failed", "/^stop/"]},
    )
    UNITS = "none"

    def __init__(self, source: Any) -> None:
        self._words: dict[str, Word] = {}  # by how they are written
        super().__init__(source)

    def matches(self, observed: Any) -> bool:
        """Tell whether a text is as wanted, or a set of words, such as (active, running)."""
        return self._term(Seen(_words(observed), ALWAYS))

    def show(self, observed: Any) -> Any:
        """Several words as one text, a set of them always in the same order."""
        words = sorted(observed) if isinstance(observed, frozenset) else observed
        return ", ".join(words) if isinstance(words, tuple | list) else words

    def literals(self) -> list[str]:
        """Return the words that are meant letter by letter."""
        return [word.text for word in self._words.values() if not word.pattern]

    def unknown_words(
        self, known: Collection[str], what: str, instead: Mapping[str, str] | None = None
    ) -> Iterator[tuple[str, str]]:
        """Yield (message, hint) for each literal that the property never is: a slip that would fail for ever.

        `what` says whose words are known; `instead` are words of other tools, and what they are here.
        """
        from nodecheck.definitions.errors import did_you_mean

        for word in self.literals():
            if word not in known:
                meant = (instead or {}).get(word)
                yield f"{word!r} is no {what}", f"did you mean {meant}?" if meant else did_you_mean(word, known)

    def suspicions(self) -> Iterator[str]:
        """Yield texts that look like what they are not: globs, regular expressions, lists."""
        from nodecheck.definitions.lookalikes import of_pattern, of_text

        for word in self._words.values():
            yield from of_pattern(word.text) if word.pattern else of_text(word.text)

    def _leaf(self, item: Any) -> Term:
        if isinstance(item, bool | list | dict) or item is None or item == "":
            raise ValueError(f"expected {self.GRAMMAR}, not {in_yaml(item)}")
        text = str(item).strip()
        if text.startswith(("<", ">", "=>", "=<")):
            raise ValueError(f"a text is neither more nor less than another: {text!r}")
        _refuse_operator(text)
        if text.startswith("!="):
            unwanted = self._word(text[2:].strip())
            return lambda seen: not seen.holds(unwanted)
        wanted = self._word(text.removeprefix("==").strip())
        return lambda seen: seen.holds(wanted)

    def _word(self, text: str) -> Word:
        if text in ("", "//", "//i"):
            raise ValueError(f"expected {self.GRAMMAR}, and there is no text")
        if text not in self._words:
            expression = REGULAR_EXPRESSION.fullmatch(text)
            if expression:
                pattern = compile_regular_expression(expression[1], ignore_case=bool(expression[2]))
                self._words[text] = Word(expression[1], pattern)
            else:
                self._words[text] = Word(text)
        return self._words[text]

    def _samples(self) -> Iterator[Sample]:
        """Each choice of the words that occur, the fewest first; a node may show any of them."""
        words = self._undecided()
        choices = chain.from_iterable(combinations(words, size) for size in range(len(words) + 1))
        return (Sample(choice, seconds) for choice in choices for seconds in self._times())

    def _count_samples(self) -> int:
        return int(2 ** len(self._undecided()) * len(self._times()))

    def _undecided(self) -> list[Word]:
        return [word for word in self._words.values() if not word.fits_all()]

    def _times(self) -> tuple[float, ...]:
        return (ALWAYS,)


class HeldText(Text):
    """A text that may have to hold for a time.

    With "for 1m" a word counts only when it has been so for at least that long.
    """

    GRAMMAR = 'a text, /a regular expression/, "!= text" or "!= text for 1m", or a list for any of these'
    EXAMPLES: ClassVar[tuple[Any, ...]] = ("!= D for 1m", "sleeping", "!= zombie", {"not": ["D for 1m", "zombie"]})

    def __init__(self, source: Any) -> None:
        self._helds: set[float] = set()
        super().__init__(source)
        self.held = max(self._helds, default=None)  # seconds, the longest that is asked for

    def matches_for(self, observed: Any, seconds: float | None) -> bool | None:
        """Tell whether what has been observed for so many seconds is as wanted.

        None: it depends on the seconds, and they are None, since they could not be seen.
        """
        times = self._times() if seconds is None else (seconds,)
        verdicts = {self._term(Seen(_words(observed), time)) for time in times}
        return verdicts.pop() if len(verdicts) == 1 else None

    def _leaf(self, item: Any) -> Term:
        text, held, time = item.rpartition(" for ") if isinstance(item, str) else ("", "", "")
        if not held:
            return super()._leaf(item)
        text = text.strip()
        _refuse_operator(text)
        unwanted = text.startswith("!=")
        if unwanted and self._negated:
            raise ValueError(f'within not, write "{text.removeprefix("!=").strip()} for {time}" without "!="')
        if not unwanted and not self._negated:
            raise ValueError('"for" goes with "!=": "!= D for 1m" means not D for a minute or longer')
        seconds = parse_duration(time)
        self._helds.add(seconds)
        word = self._word(text.removeprefix("!=").strip())
        if unwanted:
            return lambda seen: seen.seconds < seconds or not seen.holds(word)
        return lambda seen: seen.seconds >= seconds and seen.holds(word)

    def _times(self) -> tuple[float, ...]:
        return (0.0, *self._helds, ALWAYS)


def _refuse_operator(text: str) -> None:
    """Refuse what would be one = and the text: "!== failed" would always hold. Raises ValueError."""
    if text.startswith(("!==", "===")):
        raise ValueError(f'{text[:3]} compares nothing: the text alone is equal, "!= text" is another')


def _words(observed: Any) -> Any:
    return observed if isinstance(observed, tuple | frozenset) else (observed,)


class Regex(str):
    """A regular expression, searched anywhere in the text."""

    __slots__ = ()

    def __new__(cls, source: Any) -> Self:
        """Take what stands in a definition. Raises ValueError."""
        if not isinstance(source, str) or not source:
            raise ValueError(f"expected a regular expression, not {in_yaml(source)}")
        expression = REGULAR_EXPRESSION.fullmatch(source)
        text = expression[1] if expression and expression[1] else source
        compile_regular_expression(text)
        return super().__new__(cls, f"(?i:{text})" if expression and expression[2] else text)

    def suspicions(self) -> Iterator[str]:
        """Yield, for lint, what is legal and probably does not mean what its author meant."""
        from nodecheck.definitions.lookalikes import of_pattern

        if Word(self, re.compile(self)).fits_all():
            yield f"{self} fits any text"
        yield from of_pattern(self)
