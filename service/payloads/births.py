"""Births: what the nodes of Sparkplug B have said their aliases mean, and the last number of each one's messages."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

MOST_NODES = 10_000
MOST_ALIASES = 300_000  #: of all nodes; some 60 MB
_SEQUENCE = 256


class Metric(NamedTuple):
    """What an alias stands for."""

    name: str
    datatype: int


@dataclass(slots=True)
class Node:
    """An edge node as it was born."""

    seq: int | None = None  #: number of its last message, 0 to 255
    bd_seq: int | None = None  #: of its birth; the notice of its death has the same
    aliases: dict[str, Mapping[int, Metric]] = field(default_factory=dict)  #: by device, '' being the node itself

    def follow(self, seq: int) -> int:
        """Take the number of the next message, and return how many are missing before it.

        One that comes again is not newer than the last, and nothing is missing before it.
        """
        if self.seq is None:
            self.seq = seq
            return 0
        ahead = (seq - self.seq) % _SEQUENCE
        if not 0 < ahead < _SEQUENCE // 2:
            return 0
        self.seq = seq
        return ahead - 1


class Births:
    """Remembers nodes, so many and with so many aliases; beyond, those that have been silent longest are forgotten."""

    def __init__(self, most_nodes: int = MOST_NODES, most_aliases: int = MOST_ALIASES) -> None:
        self._most_nodes = most_nodes
        self._most_aliases = most_aliases
        self._nodes: OrderedDict[str, Node] = OrderedDict()
        self._aliases = 0

    def __len__(self) -> int:
        return len(self._nodes)

    def node(self, name: str) -> Node:
        """Return a node, which is empty if nothing is known of it."""
        node = self._nodes.setdefault(name, Node())
        self._nodes.move_to_end(name)
        self._make_room()
        return node

    def tell(self, name: str, device: str, aliases: Mapping[int, Metric]) -> None:
        """Remember what the aliases of a device of a node mean now."""
        node = self.node(name)
        self._aliases += len(aliases) - len(node.aliases.get(device, ()))
        node.aliases[device] = aliases
        self._make_room()

    def forget(self, name: str, device: str | None = None) -> None:
        """Forget the aliases of a device, or a node with all its devices."""
        node = self._nodes.get(name)
        if node is None:
            return
        if device is not None:
            self._aliases -= len(node.aliases.pop(device, ()))
        else:
            self._aliases -= sum(map(len, node.aliases.values()))
            del self._nodes[name]

    def _make_room(self) -> None:
        while len(self._nodes) > self._most_nodes or (self._aliases > self._most_aliases and len(self._nodes) > 1):
            self.forget(next(iter(self._nodes)))
