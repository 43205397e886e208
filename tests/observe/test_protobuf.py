"""Protocol Buffers: what the encoding's own guide shows, and what is cut off anywhere."""

import pytest

from nodecheck.node.windows._protobuf import Message, write_text, write_true


@pytest.mark.parametrize(
    ("data", "number", "text"),
    [
        ("089601", 150, ""),
        ("08ffffffffffffffffff01", 2**64 - 1, ""),
        ("120774657374696e67", 0, "testing"),
        ("08960112001200", 150, ""),
        ("0d0000000009000000000000000012017a", 0, "z"),
        ("08010802", 2, ""),
        ("", 0, ""),
    ],
)
def test_a_message_is_read(data: str, number: int, text: str) -> None:
    message = Message(bytes.fromhex(data))
    assert (message.number(1), message.text(2)) == (number, text)


@pytest.mark.parametrize("data", ["08", "0896", "12", "1207", "12077465", "0d00", "0b", "08" + "ff" * 10, "ff"])
def test_what_is_no_message_is_refused(data: str) -> None:
    with pytest.raises(ValueError, match=r"^(it ends|there is no kind|a number is too long)"):
        Message(bytes.fromhex(data))


def test_what_is_written_is_read() -> None:
    message = Message(write_text(1, "a" * 300) + write_true(2) + write_text(3, "x") + write_text(3, "y"))
    assert (message.text(1), message.number(2), message.texts(3)) == ("a" * 300, 1, ["x", "y"])
    assert [message.has(field) for field in (1, 4)] == [True, False]


def test_messages_and_maps_are_within_messages() -> None:
    message = Message(bytes.fromhex("0a060a01611201620a060a0163120164"))
    assert message.mapping(1) == {"a": "b", "c": "d"}
    assert message.message(1).text(1) == "c"
    assert message.message(2).text(1) == ""
