"""Refusals: why there is no connection with a broker, in a sentence that says what to do."""

import socket
import ssl

from paho.mqtt.client import WebsocketConnectionError
from paho.mqtt.reasoncodes import ReasonCode

from edge.brokers.broker import Broker

TAKEN_OVER = 0x8E

_CONNACK = {
    0x84: "it does not speak this protocol; try another broker.protocol",
    0x85: "it does not accept this client_id",
    0x86: "it does not accept username and password",
    0x87: "not authorised; it accepts neither username and password nor certificate, or they may not connect",
    0x88: "it is not available",
    0x89: "it is busy",
    0x8A: "it has banned us",
    0x8C: "it wants another way of authentication",
    0x97: "our quota is exceeded",
    0x9C: "it refers us to another server, for now",
    0x9D: "it refers us to another server, for good",
    0x9F: "we connect too often",
}
_DISCONNECT = {
    0x87: "we are not authorised any more",
    0x89: "it is busy",
    0x8B: "it shuts down",
    0x8D: "it has not heard of us within the keep-alive",
    TAKEN_OVER: "another client has connected with our client_id and has taken the session over; "
    "each service needs a client_id of its own",
    0x93: "we have not acknowledged what it has sent, by its count",
    0x95: "a packet of ours was too large for it",
    0x97: "our quota is exceeded",
    0x98: "its administrator has ended it",
    0x9C: "it refers us to another server, for now",
    0x9D: "it refers us to another server, for good",
}
_EXPIRED, _TOO_EARLY, _OTHER_NAMES = 10, 9, (62, 64)
_NO_AUTHORITY = (2, 18, 19, 20, 21)
_KEEP_ALIVE = 0x8D


def unreachable(error: BaseException | None, broker: Broker) -> str:
    """Return why a connection could not be made."""
    match error:
        case ssl.SSLCertVerificationError():
            return _certificate(error, broker)
        case ssl.SSLError():
            return _handshake(error)
        case socket.gaierror():
            return f"the name {broker.host} is not known"
        case ConnectionRefusedError():
            return "nothing listens there"
        case TimeoutError():
            return "no answer"
        case ConnectionResetError() if broker.tls is not None:
            return "it ended the TLS handshake; does it speak TLS there?"
        case WebsocketConnectionError():
            return f"what answers there has no websocket for MQTT at {broker.path}"
        case OSError():
            return error.strerror or str(error)
    return "it cannot be reached"


def refused(reason: ReasonCode) -> str:
    """Return why the broker has not accepted us."""
    return _CONNACK.get(reason.value, f"it says {str(reason).lower()}")


def ended(reason: ReasonCode, by_broker: bool, accepted: bool, broker: Broker) -> str:
    """Return why a connection has ended; `by_broker`: it said so itself; `accepted`: it had accepted us before."""
    if by_broker:
        return _DISCONNECT.get(reason.value, f"it says {str(reason).lower()}")
    if reason.value == _KEEP_ALIVE:
        return "nothing was heard of it for two keep-alives"
    if not accepted and broker.tls is None:
        return "it ended the connection before it accepted us; does it expect tls there?"
    if not accepted:
        return "it ended the connection before it accepted us; does it expect a client certificate, and know ours?"
    return "the connection is lost"


def _certificate(error: ssl.SSLCertVerificationError, broker: Broker) -> str:
    if error.verify_code == _EXPIRED:
        return "its certificate has expired"
    if error.verify_code == _TOO_EARLY:
        return "its certificate is not valid yet; is this host's clock right?"
    if error.verify_code in _OTHER_NAMES:
        return f"its certificate is for another name than {broker.host}"
    if error.verify_code in _NO_AUTHORITY:
        trusted = broker.tls.ca_file if broker.tls and broker.tls.ca_file else "this system"
        return f"its certificate is of no authority that {trusted} knows; tls.ca_file names another"
    return f"its certificate is not valid: {error.verify_message}"


def _handshake(error: ssl.SSLError) -> str:
    reason = error.reason or ""
    if "PROTOCOL" in reason:
        return "it does not speak TLS 1.2 or later"
    if "ALERT" in reason:
        words = reason.partition("ALERT_")[2].lower().replace("_", " ")
        return f"it ended the TLS handshake: {words}; does it expect a client certificate, and know ours?"
    return f"it ended the TLS handshake; does it speak TLS there? ({reason.lower().replace('_', ' ') or error})"
