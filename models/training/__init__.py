"""Training: from recordings to a fitted forecaster."""
