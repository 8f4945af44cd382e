"""Tags: those of a metric that tell which stream it is of."""

from collections.abc import Mapping, Sequence

from edge.payloads.payload import as_level
from edge.payloads.rejects import Reason, RejectError


def tagged_stream(tags: Mapping[str, str], names: Sequence[str]) -> str:
    """Return the values of the tags of these names, joined by '/'; RejectError if one is missing.

    >>> tagged_stream({"host": "a", "disk": "/dev/sda"}, ["host", "disk"])
    'a/%2Fdev%2Fsda'
    """
    for name in names:
        if name not in tags:
            raise RejectError(Reason.MISSING, f"expected the tag {name!r}, got {', '.join(tags)[:200] or 'no tags'}")
    return "/".join(as_level(tags[name]) for name in names)
