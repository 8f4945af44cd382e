"""Backtests: recorded data through the very engine of the service, and how well it did, with labels or without."""
