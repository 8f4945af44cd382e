"""Merit: whether the network in a bundle forecasts better than what is simpler, in words."""

from edge.manifest import Manifest


def left_out(manifest: Manifest) -> str:
    """Say what the network of a bundle just trained is no better than, and so is left out for; empty if it is used."""
    spec, metrics = manifest.spec, manifest.metrics
    if not metrics["left_out"]:
        return ""
    if metrics["linear"]:
        simpler = "the linear forecast beneath it"
    elif spec["skip"] and spec["output"] == "linear":
        simpler = "the last value"
    else:
        simpler = "a constant"
    return f"The network is no better than {simpler}, which is used alone."
