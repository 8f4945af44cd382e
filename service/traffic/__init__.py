"""Traffic: MQTT messages recorded as they came, and read back as the service would read them."""
