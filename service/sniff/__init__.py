"""Sniffing: what is published on a broker, and a configuration that would watch it."""
