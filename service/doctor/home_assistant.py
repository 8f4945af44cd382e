"""Home Assistant: whether its broker lets us announce devices, and hear what is done there."""

import secrets
from collections.abc import Iterator

from service.doctor.finding import Finding, fail, ok
from service.doctor.probe import Probe, ProbeError
from service.homeassistant.device import FALSE_ALARM, MUTE, device_of
from service.homeassistant.settings import devices_topic
from service.settings import Settings

_SUBJECT = "home_assistant"


def look_at_home_assistant(settings: Settings) -> Iterator[Finding]:
    """Yield what is found if it is enabled; what is published takes a device back that there never was."""
    if not settings.home_assistant.enabled:
        return
    own, prefix = settings.home_assistant, settings.publish.prefix
    broker, token = settings.connections[settings.home_assistant_broker], secrets.token_hex(4)
    config = device_of(("doctor", token), own.prefix, prefix).config
    filters = [own.birth_topic, *(f"{devices_topic(prefix)}/+/{each}" for each in (MUTE, FALSE_ALARM))]
    allow = f"have the broker's access control list allow {broker.client_id}-homeassistant to"
    try:
        with Probe(broker, f"{broker.client_id}-homeassistant-doctor-{token}") as probe:
            if refused := probe.subscribe(filters):
                yield fail(
                    _SUBJECT, f"we may not subscribe to {', '.join(filters)}: {refused[0]}", f"{allow} read them"
                )
            else:
                yield ok(_SUBJECT, f"subscribes us to {', '.join(filters)}")
            if refusal := probe.publish(config, b""):
                wanted = f"{allow} write {own.prefix}/device/+/config"
                yield fail(_SUBJECT, f"we may not publish to {config}: {refusal}", wanted)
            else:
                yield ok(_SUBJECT, f"may announce beneath {own.prefix}/device/")
    except ProbeError as error:
        yield fail(_SUBJECT, f"{broker.address} {error}", "start the broker, or mend its settings")
