"""The installation: ledger and slots of one bundle, changed in an order that leaves a whole bundle in charge.

The ledger says what shall be, and is written first; `current` follows. Whenever the program is killed in between, the
next start carries out what the ledger says.
"""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge.errors import BundleError, DataError
from edge.operation.failpoint import reach
from edge.updates.keys import Keyring
from edge.updates.ledger import Ledger, State
from edge.updates.order import Order
from edge.updates.signature import check_folder
from edge.updates.slots import Slots

log = logging.getLogger(__name__)

MOST_STARTS = 3  #: of the program with a bundle on trial; with the next the bundle before is in charge again


class Installation:
    """One bundle's versions on a device, and how far an update is."""

    def __init__(self, folder: Path) -> None:
        self.slots = Slots(folder)
        self.ledger = Ledger()
        self.name = folder.name
        self._is_saved = True

    @property
    def path(self) -> Path | None:
        """Return the folder of the version in charge, None if there is none."""
        return self.slots.path(self.ledger.in_charge) if self.ledger.in_charge else None

    def recover(self, keyring: Keyring) -> None:
        """Put in charge what shall be, and is signed, after an end at any moment. The bundles are not open yet."""
        self.slots.folder.mkdir(parents=True, exist_ok=True)
        stored = self._stored()
        self.ledger = ledger = self._adopted(stored or Ledger())
        if ledger != stored:
            self.record()
        if ledger.state is State.VERIFIED and ledger.version not in ledger.slots:  # it may have its folder already
            self.slots.expel(ledger.version)
        if ledger.state in (State.DOWNLOADED, State.VERIFIED):  # all is looked at anew
            self.record(state=State.DOWNLOADING)
        elif ledger.state is State.ACTIVE and ledger.starts < MOST_STARTS:
            self.record(starts=ledger.starts + 1)
        elif ledger.state is State.ACTIVE:
            reason = f"expected it to do well for long enough, got {MOST_STARTS} restarts of the program"
            self.take_back(State.ROLLED_BACK, reason)
        if self.ledger.state is not State.DOWNLOADING:
            self.slots.discard()
        self._fall_back_on_what_is_sound(keyring)
        self.settle()

    def fault(self, version: str, keyring: Keyring) -> str:
        """Return why a version may not run, '' if its files are as a key that is trusted has signed them."""
        try:
            check_folder(self.slots.path(version), keyring)
        except (BundleError, OSError) as error:
            return str(error)
        return ""

    def begin(self, order: Order) -> None:
        """Begin with an order."""
        self.record(
            state=State.DOWNLOADING,
            version=order.version,
            deployment=order.deployment,
            order=order.id,
            number=order.number,
            reason="",
        )

    def install(self, version: str) -> None:
        """Put the update that has come in charge, on trial; OSError, and nothing has changed, if it cannot be done."""
        ledger = self.ledger
        self.slots.admit(version)
        reach("admitted")
        slots = (version, *(each for each in ledger.slots if each != version))
        after = replace(
            ledger, state=State.ACTIVE, slots=slots, highest=max(ledger.highest, int(version)), starts=1, reason=""
        )
        try:
            after.save(self.slots.folder)
        except OSError:
            self.slots.expel(version)
            raise
        self.ledger = after
        reach("entered")
        self.settle()

    def commit(self) -> None:
        """Have the bundle on trial in charge for good; one to fall back on stays, and older ones go."""
        slots = self.ledger.slots
        reach("before-commit")
        self.record(state=State.COMMITTED, slots=slots[:2], doomed=(*self.ledger.doomed, *slots[2:]))
        reach("committed")
        self.settle()

    def take_back(self, state: State, reason: str) -> None:
        """Put the bundle before in charge again."""
        slots = self.ledger.slots
        self.record(state=state, reason=reason, slots=slots[1:], doomed=(*self.ledger.doomed, *slots[:1]))
        reach("taken-back")
        self.settle()

    def give_way(self, to: str, reason: str) -> None:
        """Put a version before in charge of those that cannot be used; '': there is none, and they stay.

        What is under way goes on: it may be the remedy.
        """
        ledger = self.ledger
        kept = ledger.slots
        if to:
            kept = kept[kept.index(to) :] if to in kept else (to,)
        doomed = (*ledger.doomed, *(each for each in ledger.slots if each not in kept))
        changes: dict[str, Any] = {"slots": kept, "doomed": doomed}
        if not ledger.state.is_under_way or ledger.state is State.ACTIVE:
            state = State.ROLLED_BACK if to else State.FAILED
            changes |= {"state": state, "version": ledger.in_charge, "reason": reason}
        self.record(**changes)
        self.settle()

    def fail(self, reason: str) -> None:
        """Give an update up that was never in charge."""
        self.slots.discard()
        self.record(state=State.FAILED, reason=reason)

    def settle(self) -> None:
        """Have `current` name what the ledger says, then remove what is doomed."""
        ledger = self.ledger
        if ledger.in_charge and self.slots.current() != ledger.in_charge:
            self.slots.point(ledger.in_charge)
            reach("pointed")
        for version in ledger.doomed:
            if version not in ledger.slots:
                self.slots.remove(version)
        if ledger.doomed:
            self.record(doomed=())

    def record(self, **changes: Any) -> None:
        """Change the ledger; where the disk takes nothing, it is written with the next turn that it does."""
        self.ledger = replace(self.ledger, **changes)
        self._is_saved = False
        self.keep()

    def keep(self) -> None:
        """Write the ledger, if it has changed since it was written last."""
        if self._is_saved:
            return
        try:
            self.ledger.save(self.slots.folder)
            self._is_saved = True
        except OSError as error:
            log.warning("%s: the state of its updates cannot be written yet: %s", self.name, error)

    def _stored(self) -> Ledger | None:
        """Return the ledger as it was written, None if there is none that can be read."""
        try:
            return Ledger.load(self.slots.folder)
        except DataError as error:
            log.error("%s: beginning with a new one", error)  # noqa: TRY400  the message says all
            return None

    def _adopted(self, ledger: Ledger) -> Ledger:
        """Return a ledger in which the version in charge is one that was copied there, if it names none itself."""
        there = "" if ledger.slots else self.slots.current() or self.slots.newest()
        return replace(ledger, slots=(there,), highest=max(ledger.highest, int(there))) if there else ledger

    def _fall_back_on_what_is_sound(self, keyring: Keyring) -> None:
        """Take versions back whose files are not as they were signed, as a worn-out SD card may leave them."""
        slots = self.ledger.slots
        sound = next((at for at, version in enumerate(slots) if self._is_sound(version, keyring)), None)
        if sound:
            broken = slots[:sound]
            log.error("%s: version %s is in charge, as %s is damaged", self.name, slots[sound], ", ".join(broken))
            reason = f"expected the files of version {broken[0]} as they were signed, got damaged ones at the start"
            self.give_way(slots[sound], reason)

    def _is_sound(self, version: str, keyring: Keyring) -> bool:
        if fault := self.fault(version, keyring):
            log.warning("%s: version %s: %s", self.name, version, fault)
        return not fault
