"""How a program is kept running and watched: systemd, the watchdog, locks, logs, and places to fail at in tests."""
