"""Other monitors and new bundles take over while the service runs."""
