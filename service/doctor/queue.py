"""The broker's queue: how many messages it keeps for a client that is away, measured."""

from time import monotonic
from typing import NamedTuple

from service.brokers.broker import BrokerSettings
from service.doctor.finding import Finding, ok, warn
from service.doctor.probe import Probe

OUTAGE_S = 900  #: how long the service may be away; what a broker keeps for twice that is enough
LEAST, MOST = 2_000, 20_000  #: messages published to measure it
_QUIET_S = 1.0  # when nothing has come for so long, nothing does any more
_TIMEOUT_S = 15.0


class _Measured(NamedTuple):
    """What became of messages to a client that was away."""

    taken: int  #: by the broker, within the time
    seconds: float  #: that it took for that
    kept: int  #: of these, until the client was back


def look_at_queue(subject: str, broker: BrokerSettings, client_id: str, topic: str, needed: int | None) -> Finding:
    """Publish to a topic of our own while its only subscriber is away, and count what comes back to it.

    `needed`: messages that the broker is to keep, twice what comes in an outage; None if that is not known.
    """
    published = min(max(needed or 0, LEAST), MOST)
    measured = _measure(broker, client_id, topic, published)
    known = f"twice what comes in {OUTAGE_S // 60} minutes is {needed or 'not known'}"
    if measured.kept < measured.taken:
        said = f"keeps {measured.kept} messages for a client that is away and drops what comes after; {known}"
        if needed and measured.kept >= needed:
            return ok(subject, said)
        most = max(needed or 0, 100_000)
        return warn(subject, said, f"raise its limit (mosquitto: max_queued_messages {most}, rate x outage x 2)")
    if measured.taken < published:
        return warn(
            subject,
            f"takes only {measured.taken / measured.seconds:.0f} messages a second while a client is away",
            "have it write its sessions less often (mosquitto: autosave_interval 1 without autosave_on_changes), or to "
            "a faster disk",
        )
    return ok(subject, f"keeps at least {measured.kept} messages for a client that is away; {known}")


def _measure(broker: BrokerSettings, client_id: str, topic: str, published: int) -> _Measured:
    away = f"{client_id}-away"
    try:
        with Probe(broker, away, persistent=True) as probe:
            probe.subscribe([topic])
        with Probe(broker, client_id) as sender:
            began = monotonic()
            taken = sender.publish_many(topic, [b"%d" % number for number in range(published)], _TIMEOUT_S)
            took = monotonic() - began
        with Probe(broker, away, persistent=True) as probe:
            count = -1
            while len(probe.heard) > count and len(probe.heard) < published:
                count = len(probe.heard)
                probe.listen(lambda heard, so_far=count: len(heard) > so_far, _QUIET_S)  # type: ignore[misc]
            return _Measured(taken, took, len({payload for _, payload in probe.heard}))
    finally:
        with Probe(broker, away):
            pass  # a clean session ends the other, and all that is in it
