"""Commands of a definition's author: run, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nodecheck.node import shapes

if TYPE_CHECKING:
    from nodecheck.node.programs import Stream

SHELL = ("/bin/sh", "-c")
STREAM = shapes.fields({"text": shapes.text, "whole": shapes.boolean, "size": shapes.whole})
RUNS_PROGRAMS = True
SHAPE = shapes.fields(
    {
        "outcome": shapes.one_of("ended", "timeout", "flood", "not_started"),
        "exit_code": shapes.optional(shapes.whole),
        "signal": shapes.text,
        "stdout": STREAM,
        "stderr": STREAM,
        "left": shapes.whole,
        "stuck": shapes.whole,
        "seconds": shapes.number,
        "error": shapes.text,
    }
)


class CommandWant(NamedTuple):
    """A command to run: its words, or one text for the shell; `user` is whose it is, "" for nodecheck's own."""

    words: tuple[str, ...]
    shell: bool = False
    user: str = ""
    seconds: float = 5.0

    @property
    def window(self) -> str:
        """The window's name."""
        return "command"

    @property
    def called(self) -> str:
        """The command as a person would type it, without secrets."""
        return self._shown() + self._by_whom()

    @property
    def key(self) -> str:
        """The same; two that differ in their secrets only are two still."""
        import shlex

        shown = self._shown()
        plain = self.words[0] if self.shell else shlex.join(self.words)
        return f"{shown}{'' if shown == plain else _mark(plain)}{self._by_whom()}"

    def _shown(self) -> str:
        import shlex

        from nodecheck.node.secrets import mask_arguments, mask_shell  # 10 ms, best spent while the helper looks

        return mask_shell(self.words[0]) if self.shell else shlex.join(mask_arguments(list(self.words)))

    def _by_whom(self) -> str:
        return f" (as {self.user})" if self.user else ""


def _mark(text: str) -> str:
    """Two digits of a hash: too few to find a secret by, and enough to tell two apart."""
    import hashlib

    return f" #{hashlib.sha256(text.encode()).hexdigest()[:2]}"


def look(want: CommandWant) -> dict[str, Any]:
    """Run it. Raises Unobserved where we may not."""
    from nodecheck.node import programs

    account = programs.account(want.user) if want.user else None
    words = (*SHELL, *want.words) if want.shell else want.words
    run = programs.run(programs.Program(words, want.seconds, account))
    return run._asdict() | {"stdout": _plain(run.stdout), "stderr": _plain(run.stderr)}


def _plain(stream: Stream) -> dict[str, Any]:
    from nodecheck.node.secrets import mask

    return {"text": mask(stream.text), "whole": stream.whole, "size": stream.size}
