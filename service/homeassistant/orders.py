"""Orders: what somebody does at Home Assistant, carried out at the desk as the commands of operators are."""

import glob
import logging
from collections.abc import Callable

from edge.errors import ForesenseError
from service.desk.desk import Desk
from service.homeassistant.device import FALSE_ALARM, MUTE, OFF, ON, PRESS, Key

log = logging.getLogger(__name__)

BY = "Home Assistant"  #: who has muted or labelled


class Orders:
    """Mutes a stream for some time, takes that back, and labels a stream's newest alarm as false."""

    def __init__(self, desk: Desk, mute_ms: int, newest_alarm: Callable[[Key], str | None]) -> None:
        self._desk = desk
        self._mute_ms = mute_ms
        self._newest_alarm = newest_alarm

    def carry_out(self, key: Key, what: str, payload: bytes) -> None:
        """Do what a message asks for; what cannot be done is logged."""
        try:
            self._do(key, what, payload)
        except ForesenseError as error:
            log.warning("Home Assistant asks for %s of %s: %s", what, "/".join(key), error)

    def _do(self, key: Key, what: str, payload: bytes) -> None:
        monitor, stream = key
        pattern = glob.escape(stream)  # the name itself, whatever signs are in it
        if (what, payload) == (MUTE, ON):
            self._desk.mute(monitor, pattern, self._mute_ms, "")
        elif (what, payload) == (MUTE, OFF):
            self._desk.unmute(monitor, pattern)
        elif (what, payload) == (FALSE_ALARM, PRESS):
            self._label(key)
        else:
            log.warning("Home Assistant sends %r for %s of %s/%s, which is ignored",
                        payload[:40], what, monitor, stream)  # fmt: skip

    def _label(self, key: Key) -> None:
        alarm = self._newest_alarm(key)
        if alarm is None:
            log.warning("Home Assistant calls an alarm of %s false, but there was none", "/".join(key))
            return
        self._desk.label(alarm, is_false=True, note="")
        log.info("Home Assistant calls alarm %s of %s false", alarm, "/".join(key))
