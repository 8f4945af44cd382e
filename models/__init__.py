"""What runs where there is TensorFlow: training forecasters and exporting them as bundles."""
