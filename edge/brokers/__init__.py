"""Connections with MQTT brokers: TLS, sessions, back-off, and the packets that come and go in great numbers."""
