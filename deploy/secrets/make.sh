#!/bin/sh
# Makes what docker-compose.yml needs and nobody else may have: an authority with certificates for the broker and its
# clients, a token and passwords. What is there already is kept. Needs openssl.
#   sh deploy/secrets/make.sh [FOLDER]
# The folder is closed to others; the files in it are not, as the users within the containers must read them.
set -eu
folder=${1:-$(dirname "$0")}
mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"
umask 022

random() { # FILE: a secret on one line
    [ -s "$1" ] || openssl rand -hex 32 > "$1"
}

request() { # NAME: a key, and a request for a certificate of that name
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr"
    chmod 644 "$1.key"
}

issue() { # NAME EXTENSION...: a certificate of the authority
    [ -s "$1.crt" ] && return
    name=$1
    shift
    request "$name"
    {
        echo "basicConstraints = critical, CA:FALSE"
        echo "keyUsage = critical, digitalSignature"
        echo "subjectKeyIdentifier = hash"
        echo "authorityKeyIdentifier = keyid"
        for extension in "$@"; do echo "$extension"; done
    } > "$name.ext"
    openssl x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -set_serial "0x$(openssl rand -hex 16)" -days 825 \
        -extfile "$name.ext" -out "$name.crt"
    rm "$name.csr" "$name.ext"
}

if [ ! -s ca.crt ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=Foresense plant" \
        -addext "basicConstraints = critical, CA:TRUE" -addext "keyUsage = critical, keyCertSign, cRLSign" \
        -keyout ca.key -out ca.crt
    chmod 600 ca.key
fi
issue broker "subjectAltName = DNS:mosquitto, DNS:localhost, IP:127.0.0.1" "extendedKeyUsage = serverAuth"
for client in foresense operators simulated-plant; do
    issue "$client" "extendedKeyUsage = clientAuth"
done
random influx_token
random influx_password
random grafana_password
