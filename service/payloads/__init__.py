"""Payload conventions, a file each: bytes -> samples, or a reject with its reason."""
