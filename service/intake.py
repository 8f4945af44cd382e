"""The intake: a batch of messages to each monitor's readings, dead letters and counts."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from service.inbox import Message
from service.monitor import Columns, Monitor
from service.rejects import Reason, RejectError
from service.runs import LARGEST_PAYLOAD, read_runs
from service.store import DeadLetter
from service.topics import Match

log = logging.getLogger(__name__)

_LONGEST_DETAIL = 500
_BEGINNING = 64 * 1024  # bytes kept of a payload that is too large to be read


@dataclass(slots=True)
class Sorted:
    """What a batch of messages came to."""

    readings: list[tuple[Monitor, Columns]]
    letters: list[DeadLetter] = field(default_factory=list)
    committed: int = 0  #: messages that were read; some convention's have no readings
    retained: int = 0  #: messages that the broker had kept


class Intake:
    """Reads messages for the monitors; a message that cannot be read never stops the rest."""

    def __init__(self, monitors: Sequence[Monitor]) -> None:
        self._monitors = monitors

    def sort(self, batch: Sequence[Message]) -> Sorted:
        """Return what the messages say, in their order; new streams are given rows of their monitors."""
        columns = {monitor.name: Columns() for monitor in self._monitors}
        result = Sorted([(monitor, columns[monitor.name]) for monitor in self._monitors])
        for message in batch:
            if message.retain:
                result.retained += 1
                continue
            try:
                self._read(message, columns)
            except RejectError as reject:
                result.letters.append(_letter(message, reject))
            except Exception as error:
                log.exception("a message on %r could not be read", message.topic)
                result.letters.append(_letter(message, RejectError(Reason.UNEXPECTED, repr(error))))
            else:
                result.committed += 1
        return result

    def _read(self, message: Message, columns: dict[str, Columns]) -> None:
        """Add what a message says to its monitor's readings: all of it, or nothing."""
        monitor, match = self._route(message.source, message.topic)
        runs = read_runs(message, match, monitor.parse)
        rows = [monitor.row(match.stream_name(run.stream, monitor.name)) for run, _ in runs]
        for row, (run, times) in zip(rows, runs, strict=True):
            columns[monitor.name].add(row, monitor.index(run.channel), times, run.values)

    def _route(self, source: str, topic: str) -> tuple[Monitor, Match]:
        for monitor in self._monitors:
            if monitor.broker == source and (match := monitor.template.match(topic)):
                return monitor, match
        templates = ", ".join(str(monitor.template) for monitor in self._monitors if monitor.broker == source)
        got = repr(topic[:200]) if topic else "one that is not UTF-8"
        raise RejectError(Reason.TOPIC, f"expected a topic of {templates}, got {got}")


def _letter(message: Message, reject: RejectError) -> DeadLetter:
    return DeadLetter(
        message.received_ms,
        message.topic,
        message.payload[: LARGEST_PAYLOAD if len(message.payload) <= LARGEST_PAYLOAD else _BEGINNING],
        len(message.payload),
        reject.reason,
        reject.detail[:_LONGEST_DETAIL],
        message.source,
    )
