"""A broker: whether it can be reached, lets us do what we must, and has a session of the service."""

import secrets
from collections.abc import Iterator, Sequence

from edge.brokers.consumer import ONLINE
from edge.brokers.mqtt import SESSION_S
from service.brokers.broker import BrokerSettings, place
from service.brokers.consumers import availability_topic
from service.doctor.certificate import look_at_certificate
from service.doctor.finding import Finding, fail, ok, warn
from service.doctor.probe import Probe, ProbeError
from service.doctor.queue import look_at_queue

_RETAINED_S = 1.0  # until what the broker has retained is here
_BACK_S = 2.0


class BrokerCheck:
    """Looks at one broker as the service would use it; all it publishes is on topics of its own, and not retained."""

    def __init__(self, name: str, broker: BrokerSettings, prefix: str, filters: Sequence[str]) -> None:
        self._subject = place(name)
        self._broker = broker
        self._prefix = prefix
        self._filters = filters
        token = secrets.token_hex(4)
        self._client_id = f"{broker.client_id}-doctor-{token}"
        self._topic = f"{prefix}/service/doctor/{token}"

    def look(self, held: bool, known: bool, needed: int | None, measure: bool) -> Iterator[Finding]:
        """Yield what is found.

        `held`: the service is running here; `known`: it has had messages of this broker before; `needed`: how many
        the broker is to keep while the service is away; `measure`: find out how many it does.
        """
        yield from look_at_certificate(self._subject, self._broker)
        try:
            with Probe(self._broker, self._client_id) as probe:
                yield ok(self._subject, f"{self._broker.address} accepts us")
                yield from self._may_read(probe)
                availability = self._availability(probe)
                yield self._may_write(probe)
            yield from self._session(availability, held, known)
            if measure:
                yield look_at_queue(self._subject, self._broker, self._client_id, self._topic, needed)
            else:
                said = "how many messages it keeps for a client that is away is not measured on another host"
                yield ok(self._subject, f"{said} without --measure")
        except ProbeError as error:
            yield fail(self._subject, f"{self._broker.address} {error}", self._remedy(str(error)))

    def _may_read(self, probe: Probe) -> Iterator[Finding]:
        if not self._filters:
            return
        filters = ", ".join(self._filters)
        if refused := probe.subscribe(self._filters):
            yield fail(
                self._subject,
                f"{self._broker.client_id} may not subscribe to {filters}: {refused[0]}",
                "have the broker's access control list allow it to read them",
            )
        else:
            yield ok(self._subject, f"subscribes us to {filters}")

    def _availability(self, probe: Probe) -> bytes | None:
        """Return what the service has last said of itself, None if nothing or if we may not read it."""
        topic = availability_topic(self._prefix)
        probe.subscribe([topic])
        probe.listen(lambda heard: any(where == topic for where, _ in heard), _RETAINED_S)
        return next((payload for where, payload in reversed(probe.heard) if where == topic), None)

    def _may_write(self, probe: Probe) -> Finding:
        probe.subscribe([self._topic])
        refusal = probe.publish(self._topic, b"doctor")
        came_back = probe.listen(lambda heard: any(where == self._topic for where, _ in heard), _BACK_S)
        allow = f"have the broker's access control list allow to write {self._prefix}/#"
        if refusal is not None:
            return fail(self._subject, f"{self._broker.client_id} may not publish to {self._topic}: {refusal}", allow)
        if came_back:
            return ok(self._subject, f"may publish beneath {self._prefix}/")
        if self._broker.protocol == 5:
            return ok(self._subject, f"may publish beneath {self._prefix}/, though not read there, as the doctor would")
        said = f"it is not known whether we may publish beneath {self._prefix}/: with MQTT 3.1.1 nobody says"
        return warn(self._subject, said, f"{allow}, and to read it; or use protocol: 5")

    def _session(self, availability: bytes | None, held: bool, known: bool) -> Iterator[Finding]:
        """Look for the service's session, under its own name, but only where that takes it from nobody."""
        if availability == ONLINE:
            yield ok(self._subject, f"a service is online with prefix {self._prefix}, and has its session")
            return
        if held:
            yield warn(
                self._subject,
                f"the service runs, but is not online at {self._broker.address}",
                "its log says why; it may not be connected yet",
            )
            return
        if availability is None and not known:
            yield ok(self._subject, "no service has been here yet")
            return
        broker = self._broker
        with Probe(broker, broker.client_id, persistent=True, session_s=SESSION_S, takes=False) as probe:
            present = probe.session_present
        if present:
            yield ok(self._subject, f"keeps the session of {broker.client_id} while the service is away")
            return
        with Probe(broker, broker.client_id):
            pass  # ends the session that looking has begun
        yield warn(
            self._subject,
            f"has no session of {broker.client_id}: what is published until the service is back is lost",
            "start the service; if the broker has forgotten it, let it keep its sessions (mosquitto: persistence "
            "true, autosave_interval 1)",
        )

    def _remedy(self, error: str) -> str:
        where = f"{self._subject}.host and {self._subject}.port"
        if error.startswith("refuses us"):
            return f"mend {self._subject}.username and its password_file, or the account at the broker"
        if "certificate" in error or "TLS" in error or "tls" in error:
            return f"mend {self._subject}.tls, or the certificate of the broker"
        return f"start the broker, or mend {where}; see whether a firewall is between"
