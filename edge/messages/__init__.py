"""Messages: alarms and verdicts as the JSON that leaves the system, the same from a device and from a service."""
