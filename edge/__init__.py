"""What runs on a device: readings in, verdicts out, with NumPy and one runtime."""
