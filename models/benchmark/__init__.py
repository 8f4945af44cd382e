"""Public boards: a family's scores on recorded data with known anomalies, written for the boards' own scorers."""
