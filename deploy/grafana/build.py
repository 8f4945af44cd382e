"""Builds the dashboards and alert rules.

    python deploy/grafana/build.py [--check]

Needs grafana-foundation-sdk. With --check nothing is written, and the exit code says whether all is current.
"""

import json
import sys
from pathlib import Path

import yaml
from alarms import alarm_list
from fleet import fleet
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from health import health
from rules import alert_rules
from stream import stream

HERE = Path(__file__).parent
NOTE = "# Built by deploy/grafana/build.py from deploy/grafana/rules.py.\n"


def files() -> dict[Path, str]:
    """Return what each file is to hold."""
    boards = {"fleet": fleet(), "stream": stream(), "alarms": alarm_list(), "service": health()}
    built = {
        HERE / "dashboards" / f"{name}.json": json.dumps(board.build(), cls=JSONEncoder, indent=1) + "\n"
        for name, board in boards.items()
    }
    rules = yaml.safe_dump(alert_rules(), sort_keys=False, width=120)
    return built | {HERE / "provisioning" / "alerting" / "foresense.yaml": NOTE + rules}


def main(arguments: list[str]) -> int:
    """Write the files, or check them; return the exit code."""
    stale = [path for path, text in files().items() if not path.exists() or path.read_text() != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path}: not current: python deploy/grafana/build.py")
        return bool(stale)
    for path, text in files().items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
