"""What the kernel says of its tables while they change."""

from __future__ import annotations

import time
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from nodecheck.node import rtnetlink

TORN: tuple[list[bytes], bool] = ([b"one"], False)
WHOLE: tuple[list[bytes], bool] = ([b"one", b"two"], True)


def _dumped(monkeypatch: pytest.MonkeyPatch, *answers: tuple[list[bytes], bool]) -> list[bytes]:
    waiting = list(answers)
    monkeypatch.setattr(rtnetlink, "_dump", lambda *_: waiting.pop(0))
    return list(rtnetlink.dump(0, b"", time.monotonic() + 1))


def test_a_table_that_changed_while_it_was_read_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    assert WHOLE[0] == _dumped(monkeypatch, TORN, TORN, WHOLE)


def test_a_table_that_changes_each_time_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match="it changed each time while it was read"):
        _dumped(monkeypatch, *[TORN] * rtnetlink.INTERRUPTED_AT_MOST)


@pytest.mark.parametrize(("flags", "whole"), [((0, 0), True), ((0x10, 0), False), ((2, 0x12), False)])
def test_the_kernel_says_with_any_message_that_it_was_interrupted(
    monkeypatch: pytest.MonkeyPatch, flags: tuple[int, int], whole: bool
) -> None:
    messages = [
        rtnetlink.HEADER.pack(20, kind, flag, 1, 0) + b"body" for kind, flag in zip((20, 3), flags, strict=True)
    ]
    kernel = SimpleNamespace(send=len, settimeout=abs, setsockopt=max, recv=lambda _size: b"".join(messages))
    monkeypatch.setattr(rtnetlink, "_socket", lambda: nullcontext(kernel))

    assert ([b"body"], whole) == rtnetlink._dump(0, b"", time.monotonic() + 1)
