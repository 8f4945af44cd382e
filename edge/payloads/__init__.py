"""Payloads: the bytes of a message to values with their times, or the reason why not."""
