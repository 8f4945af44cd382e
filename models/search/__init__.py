"""Search: which forecaster is worth it, and with what settings."""
