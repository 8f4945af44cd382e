"""Alarms and incidents, what holds them back, and how the world is told."""
