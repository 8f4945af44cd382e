"""Metrics: what alarms and scores are worth beside labelled windows, one file a family of them."""
