"""Updates of a device over MQTT: signed, resumed after any interruption, and taken back if they do no good."""
