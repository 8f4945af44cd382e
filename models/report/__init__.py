"""The report: one HTML file that holds all it shows, for a person to read and to keep beside the bundle."""
