"""Home Assistant: each stream is a device there, announced over MQTT, with a switch and a button."""
