"""The link with a broker: how it is, said once in a sentence when it changes, and how long to wait for the next."""

import logging
from time import monotonic

from paho.mqtt.reasoncodes import ReasonCode

from edge.brokers.backoff import BackOff, Wait
from edge.brokers.broker import Broker
from edge.brokers.refusals import TAKEN_OVER, ended, refused, unreachable

log = logging.getLogger(__name__)

_LIKELY = ", as often before: has another client our client_id? each service needs one of its own"


class Link:
    """Is told what happens to a client's connections; what is wrong is logged once, until something else is."""

    def __init__(self, client_id: str, broker: Broker) -> None:
        self.trouble = ""  #: why the broker has not accepted us; '' if it has, or that is not known yet
        self._client_id = client_id
        self._broker = broker
        self._back_off = BackOff()
        self._accepted_s: float | None = None  # when the broker accepted this connection, monotonic
        self._dropped = self._refused = False  # this connection: by us, by the broker
        self._unread = ""

    @property
    def is_fighting(self) -> bool:
        """Whether another client seems to have our name."""
        return self._back_off.is_fighting

    def begins(self) -> None:
        """Begin a new connection."""
        self._accepted_s, self._dropped, self._refused = None, False, False

    def keeps(self, error: Exception) -> None:
        """Go on with the password and the certificate that were read before, as there are no new ones."""
        if str(error) != self._unread:
            self._unread = str(error)
            log.warning("%s: going on with what was read before: %s", self._client_id, error)

    def accepted(self) -> None:
        """Note that the broker has accepted us."""
        self._accepted_s, self.trouble = monotonic(), ""
        log.info("%s: connected to %s", self._client_id, self._broker.address)

    def refused(self, reason: ReasonCode) -> None:
        """Note that the broker has not accepted us."""
        self._refused = True
        self._tell(logging.ERROR, f"refuses us: {refused(reason)}")

    def failed(self, error: BaseException | None) -> None:
        """Note that there is no connection at all."""
        self._tell(logging.WARNING, f"cannot be reached: {unreachable(error, self._broker)}")

    def drops(self) -> None:
        """Note that we break the connection off ourselves."""
        self._dropped = True

    def closed(self) -> None:
        """Note that we have disconnected, as we wanted."""
        log.info("%s: disconnected from %s", self._client_id, self._broker.address)

    def ended(self, reason: ReasonCode, by_broker: bool) -> Wait | None:
        """Note that a connection has ended, and return how long to wait with the next; None: as if there were none.

        `by_broker`: it has said so itself.
        """
        if self._accepted_s is None:
            if not self._refused:  # which was told with its reason
                self._tell(logging.WARNING, f"cannot be reached: {ended(reason, by_broker, False, self._broker)}")
            return None
        if self._dropped:
            return None
        taken_over = by_broker and reason.value == TAKEN_OVER
        wait = self._back_off.after(monotonic() - self._accepted_s, taken_over, told=by_broker)
        why = ended(reason, by_broker, True, self._broker)
        if self.is_fighting:
            why += "" if taken_over else _LIKELY
            log.error("%s: %s: %s; trying again in %d s", self._client_id, self._broker.address, why, wait.next_s)
        else:
            log.warning("%s: disconnected from %s: %s", self._client_id, self._broker.address, why)
        return wait

    def _tell(self, level: int, what: str) -> None:
        if what != self.trouble:
            self.trouble = what
            log.log(level, "%s: the broker at %s %s; trying again", self._client_id, self._broker.address, what)
