"""MQTT packets as bytes, for those that come or go in great numbers: PUBLISH of QoS 0 and 1, and PUBACK."""

from collections.abc import Sequence
from struct import pack

PUBLISH, PUBACK = 0x30, 0x40
_LONGEST_LENGTH = 4  # bytes of a packet's own length

#: mid (0 without QoS), QoS, topic ('' if it is not UTF-8), payload, whether it was retained
Received = tuple[int, int, str, bytes, bool]


class MalformedError(Exception):
    """Bytes that are no MQTT packet."""


def parse(data: bytes, start: int, v5: bool, received: list[Received]) -> tuple[int, tuple[int, bytes] | None]:
    """Append the messages from `start` on, up to a packet that is none or is not complete.

    Return where that begins and None, or where it ends, its header and its body. MalformedError for what is no packet.
    """
    end, add = len(data), received.append
    try:
        while end - start >= 2:
            header, size, at = data[start], data[start + 1], start + 2
            if size > 127:
                size, at = _length(data, start + 1, end)
                if at > end:
                    break
            stop = at + size
            if stop > end:
                break
            start = stop
            if header & 0xF4 != PUBLISH:  # no PUBLISH, or one of QoS 2
                return stop, (header, data[at:stop])
            name = at + 2
            place = named = name + (data[at] << 8 | data[at + 1])
            mid = 0
            if header & 2:
                mid, place = data[named] << 8 | data[named + 1], named + 2
            if v5:
                properties, place = data[place], place + 1
                if properties > 127:
                    properties, place = _length(data, place - 1, stop)
                place += properties
            if place > stop or (named == name and not v5):
                raise MalformedError(f"expected a message of {size} bytes, got one that is longer or has no topic")
            try:
                topic = data[name:named].decode()
            except UnicodeDecodeError:
                topic = ""
            add((mid, header >> 1 & 3, topic, data[place:stop], header & 1 == 1))
    except IndexError as error:
        raise MalformedError("expected a whole message, got its beginning") from error
    return start, None


def _length(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return the number of variable length at a place, and where it ends; beyond `end` if it does not end before."""
    number = 0
    for k in range(_LONGEST_LENGTH):
        if at + k >= end:
            return 0, end + 1
        digit = data[at + k]
        number |= (digit & 127) << 7 * k
        if digit < 128:
            return number, at + k + 1
    raise MalformedError(f"expected a length of at most {_LONGEST_LENGTH} bytes, got more")


def needed(data: bytes, start: int) -> int:
    """Return how many bytes the packet has that begins at a place, as far as is known."""
    if start + 1 >= len(data):
        return 0
    size, at = _length(data, start + 1, len(data))
    return 0 if at > len(data) else at - start + size


def pubacks(mids: Sequence[int]) -> bytes:
    r"""Return the acknowledgements of messages of QoS 1, in this order.

    >>> pubacks([1, 258])
    b'@\x02\x00\x01@\x02\x01\x02'
    """
    return pack("!" + "BBH" * len(mids), *(part for mid in mids for part in (PUBACK, 2, mid)))


def publish(topic: str, payload: bytes, v5: bool, mid: int = 0) -> bytes:
    r"""Return a message of QoS 1 with a number, of QoS 0 without one.

    >>> publish("a/b", b"21.5", v5=True), publish("a/b", b"21.5", v5=False, mid=7)
    (b'0\n\x00\x03a/b\x0021.5', b'2\x0b\x00\x03a/b\x00\x0721.5')
    """
    name = topic.encode()
    rest = b"\x00" + payload if v5 else payload  # no properties
    if mid:
        rest = pack("!H", mid) + rest
    size = 2 + len(name) + len(rest)
    digits = bytearray([PUBLISH | (2 if mid else 0)])
    while True:
        size, digit = divmod(size, 128)
        digits.append(digit | (128 if size else 0))
        if not size:
            return b"%b%b%b%b" % (bytes(digits), pack("!H", len(name)), name, rest)


def answer(body: bytes) -> tuple[int, int]:
    r"""Return the number of the message that a PUBACK is of, and its reason code; from 0x80 on it is a refusal.

    >>> answer(b"\x00\x07"), answer(b"\x00\x07\x87\x00")
    ((7, 0), (7, 135))
    """
    if len(body) < 2:
        raise MalformedError(f"expected the number of a message, got {len(body)} bytes")
    return body[0] << 8 | body[1], body[2] if len(body) > 2 else 0
