"""What operators do beside the running service."""
