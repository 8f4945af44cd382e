"""Recorded data: from a source of readings to the streams a forecaster learns from."""
