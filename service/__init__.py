"""What runs on a server: MQTT in, one transaction, alarms out."""
