#!/bin/sh
# Lets InfluxDB 2 be asked in InfluxQL, as Grafana does: the bucket is the database of its name. Run once, by the image.
set -eu
influx v1 dbrp create --db "$DOCKER_INFLUXDB_INIT_BUCKET" --rp autogen --default \
    --bucket-id "$DOCKER_INFLUXDB_INIT_BUCKET_ID" --org "$DOCKER_INFLUXDB_INIT_ORG"
