"""The database: what is kept, for how long, and what is done when the disk or the file fails."""
