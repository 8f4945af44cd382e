#!/bin/sh
# Foresense on a device with systemd, such as a Raspberry Pi: the program, its unit and a first configuration.
# Run it again to bring the program up to date or to give the device a bundle: nothing that was edited is overwritten.
set -eu

PROGRAM=/opt/foresense
CONFIGURATION=/etc/foresense
STATE=/var/lib/foresense-edge
UNITS=/usr/local/lib/systemd/system
UNIT=foresense-edge.service
HERE=$(cd "$(dirname "$0")" && pwd)

usage() {
    cat <<END
Usage: install-edge.sh [--package WHAT] [--bundle FOLDER]
       install-edge.sh --uninstall

  --package WHAT    what pip installs: a wheel, a folder with the source, or a name on PyPI.
                    Without it: the source in which this script lies.
  --bundle FOLDER   a bundle for this device, such as bundles/cpu/1: it is verified, and copied
                    to $STATE/bundles
  --uninstall       removes the program and its unit, and keeps $CONFIGURATION and
                    $STATE
END
}

say() {
    echo "install-edge.sh: $*"
}

fail() {
    say "$*" >&2
    exit 2
}

check_machine() {
    [ "$(id -u)" = 0 ] || fail "expected to be run by root (with sudo), got user $(id -un)"
    command -v systemctl >/dev/null || fail "expected a system with systemd, got one without systemctl"
    command -v python3 >/dev/null || fail "expected Python 3.11, 3.12 or 3.13 as python3, got none"
    python3 - <<'END' || exit 2
import struct, sys
version, bits = sys.version_info[:2], 8 * struct.calcsize("P")
if not (3, 11) <= version <= (3, 13) or bits != 64:
    got = f"Python {version[0]}.{version[1]} of {bits} bits ({sys.executable})"
    sys.exit(f"install-edge.sh: expected a 64-bit Python 3.11, 3.12 or 3.13 as python3, got {got}")
END
}

install_program() { # WHAT
    if ! "$PROGRAM/bin/python" -m pip --version >/dev/null 2>&1; then # none yet, or of a Python that is gone
        python3 -c 'import ensurepip' 2>/dev/null || apt-get install --yes --no-install-recommends python3-venv
        python3 -m venv --clear "$PROGRAM"
    fi
    set -- --upgrade "$1[litert,updates]"
    [ ! -f "$HERE/constraints.txt" ] || set -- --constraint "$HERE/constraints.txt" "$@"
    "$PROGRAM/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
    say "$PROGRAM: $("$PROGRAM/bin/foresense" --version)"
}

# The unit is the program's, and changed by drop-ins: `systemctl edit foresense-edge`.
install_unit() {
    install -D -m 644 "$HERE/systemd/$UNIT" "$UNITS/$UNIT"
    ! booted || systemctl daemon-reload
}

install_configuration() {
    install -d -m 755 "$CONFIGURATION"
    install -d -m 700 "$CONFIGURATION/secrets"
    if [ ! -e "$CONFIGURATION/edge.yaml" ]; then
        install -m 644 "$HERE/edge.yaml" "$CONFIGURATION/edge.yaml"
        say "$CONFIGURATION/edge.yaml: an example, to be edited"
    else
        say "$CONFIGURATION/edge.yaml: kept as it is"
    fi
}

install_bundle() { # FOLDER
    answer=$("$PROGRAM/bin/foresense" verify --json "$1") || fail "$1: expected a bundle that verifies, got $answer"
    name=$(echo "$answer" | "$PROGRAM/bin/python" -c 'import json, sys; print(json.load(sys.stdin)["bundle"])')
    target=$STATE/bundles/$name
    if [ -e "$target" ]; then
        cmp -s "$1/manifest.sha256" "$target/manifest.sha256" || fail "$target: expected no other bundle of this version"
        say "$target: is there already"
        return
    fi
    install -d "$(dirname "$target")"
    rm -rf "$target.part"
    cp -r "$1" "$target.part"
    mv "$target.part" "$target"
    chown -R --reference="$STATE/" "$STATE/bundles" # a user that systemd makes for the unit
    say "$target: copied"
}

# Where systemd is not in charge, as in an image that is being made, the unit is started at the first boot.
booted() {
    [ -d /run/systemd/system ]
}

start() {
    if [ -z "$(ls -A "$STATE/bundles" 2>/dev/null)" ]; then
        say "there is no bundle in $STATE/bundles yet: run this again with --bundle FOLDER"
        return
    fi
    systemctl enable --quiet "$UNIT"
    booted || return 0
    systemctl restart "$UNIT" || fail "$UNIT: expected it to start; see: journalctl -u $UNIT -n 20"
    say "$UNIT: is running; see: journalctl -u $UNIT -f"
}

uninstall() {
    if [ -e "$UNITS/$UNIT" ]; then
        ! booted || systemctl stop "$UNIT"
        systemctl disable --quiet "$UNIT"
        rm -f "$UNITS/$UNIT"
        ! booted || systemctl daemon-reload
    fi
    if systemctl is-enabled --quiet foresense.service 2>/dev/null; then
        say "$PROGRAM: kept, the service foresense.service runs from it"
    else
        rm -rf "$PROGRAM"
    fi
    say "removed; $CONFIGURATION and $STATE are kept"
}

package=$(dirname "$HERE")
bundle=
action=install
while [ $# -gt 0 ]; do
    case $1 in
        --package | --bundle)
            [ $# -gt 1 ] || fail "$1: expected a value, got none"
            if [ "$1" = --package ]; then package=$2; else bundle=$2; fi
            shift
            ;;
        --uninstall) action=uninstall ;;
        -h | --help) usage && exit ;;
        *) fail "expected --package, --bundle, --uninstall or --help, got $1" ;;
    esac
    shift
done

check_machine
if [ "$action" = uninstall ]; then
    uninstall
    exit
fi
install_program "$package"
install_unit
install_configuration
[ -z "$bundle" ] || install_bundle "$bundle"
start
