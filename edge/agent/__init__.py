"""The device program, `foresense edge run`."""
