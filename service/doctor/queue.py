"""The broker's queue: how many messages it keeps for a client that is away, measured."""

from service.broker import BrokerSettings
from service.doctor.finding import Finding, ok, warn
from service.doctor.probe import Probe

OUTAGE_S = 900  #: how long the service may be away; what a broker keeps for twice that is enough
LEAST, MOST = 2_000, 20_000  #: messages published to measure it
_QUIET_S = 1.0  # when nothing has come for so long, nothing does any more


def look_at_queue(subject: str, broker: BrokerSettings, client_id: str, topic: str, needed: int | None) -> Finding:
    """Publish to a topic of our own while its only subscriber is away, and count what comes back to it.

    `needed`: messages that the broker is to keep, None if that is not known.
    """
    published = min(max(needed or 0, LEAST), MOST)
    kept = _measure(broker, client_id, topic, published)
    enough = (
        f"{needed} are what comes in {OUTAGE_S // 60} minutes, twice" if needed else "how many are needed is not known"
    )
    if kept == published:
        if needed and needed > published:
            return ok(subject, f"keeps at least {kept} messages for a client that is away; {enough}")
        return ok(
            subject, f"keeps at least {kept} messages for a client that is away, and {needed or 'some'} are needed"
        )
    said = f"keeps {kept} messages for a client that is away and drops what comes after; {enough}"
    if needed and kept >= needed:
        return ok(subject, said)
    most = max(needed or 0, 100_000)
    return warn(subject, said, f"raise its limit (mosquitto: max_queued_messages {most}, rate x outage x 2)")


def _measure(broker: BrokerSettings, client_id: str, topic: str, published: int) -> int:
    """Return how many of so many messages come back."""
    away = f"{client_id}-away"
    try:
        with Probe(broker, away, persistent=True) as probe:
            probe.subscribe([topic])
        with Probe(broker, client_id) as sender:
            sender.publish(topic, [b"%d" % number for number in range(published)])
        with Probe(broker, away, persistent=True) as probe:
            count = -1
            while len(probe.heard) > count and len(probe.heard) < published:
                count = len(probe.heard)
                probe.listen(lambda heard, so_far=count: len(heard) > so_far, _QUIET_S)  # type: ignore[misc]
            return len({payload for _, payload in probe.heard})
    finally:
        with Probe(broker, away):
            pass  # a clean session ends the other, and all that is in it
