"""The fleet: sign bundles, have devices fetch them, take them back, and see how the devices are."""
