"""The updater: carries out orders about one bundle, step by step, and reports each state that it comes to.

    DOWNLOADING -> DOWNLOADED -> VERIFIED -> ACTIVE -> COMMITTED
         |             |             |          |
         +-------------+-- FAILED ---+     ROLLED_BACK

A bundle is FAILED before it was ever in charge, and ROLLED_BACK after. In both cases the one before goes on.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from edge.agent.part import Host
from edge.errors import BundleError, ConfigError, ForesenseError
from edge.operation.failpoint import reach
from edge.updates.charge import Charge
from edge.updates.document import Document
from edge.updates.download import Download, Send
from edge.updates.installation import Installation
from edge.updates.keys import Keyring
from edge.updates.ledger import State
from edge.updates.order import Order
from edge.updates.orders import Orders
from edge.updates.rules import Now, agent_release, check_room, check_rules
from edge.updates.signature import check_files, deployment_of, read_signature
from edge.updates.trial import Trial

log = logging.getLogger(__name__)


class Updater:
    """Updates one bundle of a device; all of it happens in turn() and take(), neither of which waits for anything."""

    def __init__(
        self,
        installation: Installation,
        orders: Orders,
        keyring: Path,
        send: Send,
        healthy_s: float,
        runtime: str | None = None,
    ) -> None:
        self.installation = installation
        self.orders = orders
        self.on_change: Callable[[], None] = _nothing  #: there is something to report
        self.download: Download | None = None
        self.name = installation.name
        self._keyring = keyring  # read whenever something is verified, so that a new key needs no restart
        self._send = send
        self._charge = Charge(self.name, keyring, healthy_s)
        self._runtime = runtime  # None: the one that is installed
        self._trial: Trial | None = None

    @property
    def state(self) -> State:
        """Return how far the update is."""
        return self.installation.ledger.state

    def start(self, host: Host) -> None:
        """Recover from an end at any moment; the bundles are opened after this. ConfigError without a keyring."""
        self._charge.start(host)
        self.installation.recover(Keyring.read(self._keyring))
        ledger = self.installation.ledger
        if ledger.state is State.DOWNLOADING:
            self._open()
        if ledger.state is State.ACTIVE and (path := self.installation.path):
            with suppress(BundleError):  # cannot_open is told of it
                self._charge.begin_probation(path)

    def cannot_open(self, instead: str, reason: str) -> None:
        """Take note that the version in charge cannot be opened, which one before it goes on ('': none), and why."""
        if instead != self.installation.ledger.in_charge:  # else another monitor has told us
            self.installation.give_way(instead, reason)

    def stop(self) -> None:
        """End what is going on; it goes on with the next start."""
        if self._trial is not None:
            self._trial.stop()
        self.installation.keep()

    def take_order(self, message: bytes) -> None:
        """Take an order, and say so if it is refused; an empty message, which takes none back, says nothing."""
        if message and not self.orders.take(message, self.installation.ledger):
            self.on_change()

    def take_chunk(self, message: bytes) -> None:
        """Take a part of a file."""
        if self.download is not None and self.state is State.DOWNLOADING:
            self._attempt(lambda download: download.take(message, self._admit))
            self.turn()  # so that the next part is asked for at once

    def turn(self) -> None:
        """Do what is due."""
        self.installation.keep()
        if (order := self.orders.next(self.state)) is not None:
            self._begin(order)
        match self.state:
            case State.DOWNLOADING:
                self._attempt(lambda download: download.turn(time.monotonic(), self._send))
                if self.download is not None and self.download.is_whole:
                    self._finish_download()
            case State.DOWNLOADED:
                self._watch_trial()
            case State.ACTIVE:
                self._watch_probation()

    def _begin(self, order: Order) -> None:
        match order.action:
            case "deploy":
                self._deploy(order)
            case "rollback":
                self._roll_back_as_ordered(order)
            case "withdraw":
                if self.state.is_under_way and order.deployment == self.installation.ledger.deployment:
                    self._fail("withdrawn by the operator")
                self.installation.record(order=order.id, number=order.number)

    def _deploy(self, order: Order) -> None:
        self._drop()
        self.installation.begin(order)
        if order.version == self.installation.ledger.in_charge and not self._fault_of(order.version):
            self._compare_with_what_is_in_charge(order)
            return
        log.info("%s: downloading version %s", self.name, order.version)
        self.on_change()
        self._open()

    def _compare_with_what_is_in_charge(self, order: Order) -> None:
        path = self.installation.path
        if path is not None and deployment_of(read_signature(path)) == order.deployment:
            self.installation.slots.discard()
            self._come_to(State.COMMITTED)
        else:
            self._fail(f"expected a new version, got another bundle of version {order.version}, which is in charge")

    def _drop(self) -> None:
        """End what is under way."""
        if self._trial is not None:
            self._trial.stop()
        self.download, self._trial = None, None

    def _open(self) -> None:
        ledger, incoming = self.installation.ledger, self.installation.slots.incoming
        self.download = Download(self.name, ledger.version, ledger.deployment, incoming, self._keyring)
        self._attempt(lambda download: download.open(self._admit))

    def _admit(self, document: Document) -> None:
        check_rules(document, Now(time.time(), self.installation.ledger.highest, agent_release()))
        check_room(document, self.installation.slots.incoming)

    def _attempt(self, step: Callable[[Download], None]) -> None:
        """Take a step of the download; give it up with what that raises."""
        if self.download is None:
            return
        try:
            step(self.download)
        except (BundleError, ConfigError) as error:
            self._fail(str(error))
        except OSError as error:
            self._fail(f"expected a disk that takes the update, got: {error.strerror}")

    def _finish_download(self) -> None:
        """Check all that has come, and begin the self-test."""
        incoming, in_charge = self.installation.slots.incoming, self.installation.path
        if self.download is None or self.download.document is None:
            return
        if in_charge is not None and self._fault_of(in_charge.name):  # it cannot be compared with one that is damaged
            in_charge = None
        try:
            check_files(incoming, self.download.document)
            self._trial = Trial(incoming, in_charge, self._runtime)
            self._trial.start()
        except (BundleError, OSError) as error:
            self._fail(str(error))
            return
        self._come_to(State.DOWNLOADED)

    def _watch_trial(self) -> None:
        try:
            if self._trial is None or not self._trial.is_over():
                return
        except BundleError as error:
            self._fail(str(error))
            return
        self._trial = None
        self._come_to(State.VERIFIED)
        try:
            self.installation.install(self.installation.ledger.version)
        except OSError as error:
            self._fail(f"expected a disk that takes the update, got: {error.strerror}")
            return
        self.download = None
        log.info("%s: version %s is in charge, on trial", self.name, self.installation.ledger.version)
        self.on_change()
        self._switch_or_take_back()

    def _watch_probation(self) -> None:
        try:
            if not self._charge.may_stay():
                return
        except BundleError as error:
            self._take_back(str(error))
            return
        self.installation.commit()
        log.info("%s: version %s has done well and stays", self.name, self.installation.ledger.in_charge)
        self.on_change()

    def _roll_back_as_ordered(self, order: Order) -> None:
        self._drop()
        installation, ledger = self.installation, self.installation.ledger
        installation.slots.discard()
        installation.record(order=order.id, number=order.number, version=order.version, deployment="")
        if ledger.in_charge != order.version:
            self._fail(f"rollback: expected version {order.version} in charge, got {ledger.in_charge or 'none'}")
        elif len(ledger.slots) < 2:
            self._fail(f"rollback: expected a version before {order.version} on this device, got none")
        elif fault := self._fault_of(ledger.slots[1]):
            self._fail(f"rollback: {fault}")
        else:
            self._take_back("ordered by the operator")

    def _fault_of(self, version: str) -> str:
        try:
            return self.installation.fault(version, Keyring.read(self._keyring))
        except ConfigError as error:
            return str(error)

    def _take_back(self, reason: str) -> None:
        failed = self.installation.ledger.in_charge
        if len(self.installation.ledger.slots) < 2:  # the first ever: there is nothing to go back to
            log.warning("%s: version %s goes on, as there is no other: %s", self.name, failed, reason)
            self.installation.record(state=State.FAILED, reason=f"{reason}; it goes on, as there is none before it")
        else:
            log.warning("%s: version %s is taken back: %s", self.name, failed, reason)
            self.installation.take_back(State.ROLLED_BACK, reason)
            path = self.installation.path
            if path and (trouble := self._charge.switch(path)):
                self.installation.record(reason=f"{reason}; it goes on until the next start: {trouble}")
        self.on_change()

    def _switch_or_take_back(self) -> None:
        path, trouble = self.installation.path, ""
        try:
            if path is not None:
                self._charge.begin_probation(path)
                trouble = self._charge.switch(path)
        except ForesenseError as error:  # such as a keyring that has been damaged meanwhile
            trouble = str(error)
        if trouble:
            self._take_back(trouble)
        reach("switched")

    def _fail(self, reason: str) -> None:
        log.warning("%s: version %s is refused: %s", self.name, self.installation.ledger.version, reason)
        self._drop()
        self.installation.fail(reason)
        self.on_change()

    def _come_to(self, state: State) -> None:
        self.installation.record(state=state)
        self.on_change()
        reach(state.value.lower())


def _nothing() -> None:
    pass
