"""Where recorded readings come from: files, folders, the service's history, InfluxDB; one file each."""
