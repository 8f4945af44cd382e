"""A publisher that is no bottleneck: messages are encoded beforehand and written in large chunks.

It tells that it is ready, waits for a line, publishes as fast as it can or at a rate, and prints when it sent which
message. A message is one topic's readings as JSON, `{"ts": ..., "value": ...}`, or several as columns, with arrays. All
messages have the same length, so that a chunk is cut without looking. Run as a program of its own:

    python tests/bench/load/publisher.py '{"port": 1883, "topics": 1000, "rounds": 10}'
"""

import json
import socket
import struct
import sys
import time
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

CHUNK = 200  #: messages written at once when there is no rate
WINDOW = 4000  #: messages not yet acknowledged, at most
FAR = 900.0  #: a value that no forecast foresees
_MOST_MID = 65_535
_TICK_S = 0.002


@dataclass(frozen=True)
class Load:
    """What is published: each round has a message of every topic, its readings in successive slots."""

    port: int
    root: str = "plant"  #: first level of the topics
    topics: int = 1000
    rounds: int = 10
    readings: int = 1  #: a message
    qos: int = 1
    rate: float = 0.0  #: messages a second; 0 is as fast as can be
    start_ms: int = 0  #: of the first slot
    interval_ms: int = 60_000
    far: int = 0  #: every so many messages the value is far off, each time of another topic; besides the very last
    shift: int = 0  #: which topic each round begins with
    seed: int = 0

    @property
    def messages(self) -> int:
        return self.topics * self.rounds

    @property
    def slots(self) -> int:
        """Slots of a topic."""
        return self.rounds * self.readings

    @property
    def last_ms(self) -> int:
        """Start of the last slot."""
        return self.start_ms + (self.slots - 1) * self.interval_ms

    def stream(self, number: int) -> str:
        """Return the stream of a message."""
        return stream((number + self.shift) % self.topics)

    @property
    def last_stream(self) -> str:
        """Stream of the very last message."""
        return self.stream(self.messages - 1)

    def is_far(self, number: int) -> bool:
        """Whether a message's value is far off."""
        return number == self.messages - 1 or (self.far > 0 and number % self.far == 0)

    def as_json(self) -> str:
        return json.dumps(asdict(self))


def stream(number: int) -> str:
    return f"sensor-{number:05}"


def encode(load: Load) -> list[bytes]:
    """Return the PUBLISH packets (MQTT 3.1.1) in order; all are of one length."""
    random = Random(load.seed)  # noqa: S311
    noise = [random.gauss(0, 0.3) for _ in range(10_007)]
    packets = []
    for number in range(load.messages):
        first = number // load.topics * load.readings
        times = [load.start_ms + (first + k) * load.interval_ms for k in range(load.readings)]
        values = [noise[(number * load.readings + k) % len(noise)] for k in range(load.readings)]
        if load.is_far(number):
            values[-1] = FAR
        told = [f"{value:10.5f}" for value in values]
        if load.readings == 1:
            payload = f'{{"ts": {times[0]}, "value": {told[0]}}}'
        else:
            payload = f'{{"ts": [{",".join(map(str, times))}], "value": [{",".join(told)}]}}'
        packets.append(packet(f"{load.root}/{load.stream(number)}", payload.encode(), load.qos, number % _MOST_MID + 1))
    return packets


def packet(where: str, payload: bytes, qos: int, mid: int) -> bytes:
    name = where.encode()
    body = struct.pack("!H", len(name)) + name + (struct.pack("!H", mid) if qos else b"") + payload
    return bytes([0x30 | qos << 1]) + _length(len(body)) + body


def _length(size: int) -> bytes:
    digits = bytearray()
    while True:
        size, digit = divmod(size, 128)
        digits.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(digits)


class Publisher:
    """A connection that only publishes."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._size = 0
        self._data = memoryview(b"")
        self._acknowledged = 0  # bytes
        self._socket = socket.create_connection(("127.0.0.1", load.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def prepare(self) -> None:
        """Encode, and say hello to the broker."""
        packets = encode(self._load)
        self._size = len(packets[0])
        self._data = memoryview(b"".join(packets))
        body = b"\x00\x04MQTT\x04\x02\x00\x00" + struct.pack("!H", 9) + b"publisher"
        self._socket.sendall(bytes([0x10]) + _length(len(body)) + body)
        answer = self._socket.recv(4, socket.MSG_WAITALL)
        if answer != b"\x20\x02\x00\x00":
            raise ConnectionError(f"expected to be accepted, got {answer!r}")

    def publish(self) -> dict[int, float]:
        """Publish everything, and return by number when those were sent that are far off (time.monotonic)."""
        load, sent, at = self._load, 0, {}
        began = time.monotonic()
        while sent < load.messages:
            due = sent + CHUNK
            if load.rate:
                due = int((time.monotonic() - began) * load.rate) + 1
                if due <= sent:
                    time.sleep(_TICK_S / 4)
                    continue
            end = min(due, load.messages)
            self._wait_for_window(end)
            now = time.monotonic()
            at.update({number: now for number in range(sent, end) if load.is_far(number)})
            self._socket.sendall(self._data[sent * self._size : end * self._size])
            sent = end
        if load.qos:
            while self._acknowledged < 4 * load.messages:
                self._hear()
        self._socket.sendall(b"\xe0\x00")
        return at

    def _wait_for_window(self, sent: int) -> None:
        while self._load.qos and 4 * sent - self._acknowledged > 4 * WINDOW:
            self._hear()

    def _hear(self) -> None:
        if not (data := self._socket.recv(65_536)):
            raise ConnectionError("the broker has gone")
        self._acknowledged += len(data)


def main() -> None:
    publisher = Publisher(Load(**json.loads(sys.argv[1])))
    publisher.prepare()
    print("ready", flush=True)
    sys.stdin.readline()
    told: dict[str, Any] = {"began": time.monotonic(), "cpu_s": -time.process_time()}
    told["far"] = publisher.publish()
    told["ended"] = time.monotonic()
    told["cpu_s"] += time.process_time()
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
