#!/bin/sh
# Trains the forecaster of the simulated plant, once, from a day of its history. These pumps are so regular that a linear
# forecaster foresees them as well as a network does, and is there in a fraction of the time.
#   sh train-plant.sh BUNDLES
set -eu
bundles=$1
if [ -e "$bundles/pumps" ]; then
    echo "$bundles/pumps is there"
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
foresense simulate --csv "$folder/pumps.csv" --since 1d --no-faults
foresense train "$folder/pumps.csv" --device pump --interval 10s --channel flow=m3/h --channel pressure=bar \
    --channel power=kW --channel vibration=mm/s --channel temperature=degC --family ar \
    --budget '1 per week' --name pumps --out "$bundles"
