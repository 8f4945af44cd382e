"""Brokers: the connections with them, and the messages that come on these."""
