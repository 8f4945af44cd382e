"""Runtimes: what executes a bundle's step model. One is imported, and only when it is opened."""

from edge.runtimes.opening import RUNTIMES, open_runtime
from edge.runtimes.runtime import BLOCK, Runtime, Step

__all__ = ["BLOCK", "RUNTIMES", "Runtime", "Step", "open_runtime"]
