"""Relays, a file each: the outbox -> the world."""
