"""How the service is doing: supervision, logs, metrics, health."""
