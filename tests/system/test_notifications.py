"""The real command, whose alarms go to a real mail server and a real HTTP server."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import MakeBundle
from tests.service.notifications.conftest import MailServer, mail_server, parts
from tests.service.relays.conftest import Receiver, Reply, receiver
from tests.system.conftest import Broker, MakePlant, Plant, World, wait_until
from tests.system.test_service import monitor, recording

__all__ = ["mail_server", "receiver"]
PUMP = "north/pump-1"
Start = Callable[..., Plant]


@pytest.fixture
def start(broker: Broker, world: World, make_plant: MakePlant, make_bundle: MakeBundle, tmp_path: Path) -> Start:
    """Return a starter of a service that tells of alarms by some URLs."""
    bundles = make_bundle(streams=(PUMP,)).path.parents[1]

    def run(name: str, *urls: str, variable: str = "", failpoint: str = "", **more: Any) -> Plant:
        (tmp_path / "urls").write_text("\n".join(urls))
        told = {"team": {"urls_variable": "TEAM"} if variable else {"urls_file": str(tmp_path / "urls")}}
        told["team"] |= more
        plant = make_plant(broker, name, bundles, {"pumps": monitor(name)}, settings={"notifications": told})
        plant.environment = {"TEAM": variable, **({"FORESENSE_FAILPOINT": failpoint} if failpoint else {})}
        world.listen(plant.availability)
        plant.start()
        world.wait_for(plant.availability, b"online")
        return plant

    return run


def test_an_alarm_comes_by_mail_with_its_picture_and_by_http_each_once(
    world: World, start: Start, mail_server: MailServer, receiver: Receiver
) -> None:
    plant = start("notify-both", mail_server.url, f"json://127.0.0.1:{receiver.port}/path-secret")
    world.publish(recording(f"notify-both/{PUMP}/value"))
    wait_until(lambda: bool(mail_server.taken) and bool(receiver.taken), "both are told")
    wait_until(lambda: plant.count("outbox") == 0, "the outbox is empty")

    (mail,) = mail_server.taken
    assert PUMP in mail["Subject"]
    assert parts(mail)["image/png"].startswith(b"\x89PNG")
    (request,) = receiver.taken
    told = json.loads(request.body)
    assert told["title"] == mail["Subject"]
    assert plant.query("SELECT explanation FROM alarm")[0][0] in told["message"]
    assert plant.end() == 0
    assert "path-secret" not in plant.log.read_text()


@pytest.mark.slow
def test_what_a_receiver_did_not_take_is_sent_after_a_kill_and_each_alarm_once(
    world: World, start: Start, receiver: Receiver
) -> None:
    receiver.answer = lambda _: Reply(500)
    plant = start("notify-kill", variable=f"json://127.0.0.1:{receiver.port}", picture=False)
    world.publish(recording(f"notify-kill/{PUMP}/value")[:22])
    wait_until(lambda: len(receiver.heard) > 1, "it is tried again")
    assert "team/1: not delivered: 500 JSON does not take it" in plant.log.read_text()
    plant.end(signal.SIGKILL)
    receiver.answer = lambda _: Reply()
    plant.start()
    wait_until(lambda: plant.count("outbox") == 0 and bool(receiver.taken), "it is told")
    assert len(receiver.taken) == 1


@pytest.mark.slow
def test_a_kill_between_the_answer_and_the_commit_tells_it_twice_with_the_same_id(
    world: World, start: Start, receiver: Receiver
) -> None:
    plant = start(
        "notify-twice", variable=f"json://127.0.0.1:{receiver.port}", picture=False, failpoint="after-delivery"
    )
    world.publish(recording(f"notify-twice/{PUMP}/value")[:22])
    plant.wait()
    assert len(receiver.taken) == 1
    plant.environment = {"TEAM": f"json://127.0.0.1:{receiver.port}"}
    plant.start()
    wait_until(lambda: len(receiver.taken) == 2 and plant.count("outbox") == 0, "it is told again")
    first, second = (json.loads(request.body)["message"] for request in receiver.taken)
    assert first == second
    assert plant.query("SELECT substr(id, 1, 8) FROM alarm")[0][0] in first


def test_what_is_refused_is_a_letter_and_the_next_is_told(world: World, start: Start, receiver: Receiver) -> None:
    receiver.script(Reply(413))
    plant = start("notify-refused", variable=f"json://127.0.0.1:{receiver.port}", picture=False, updates=["end"])
    world.publish(recording(f"notify-refused/{PUMP}/value")[:22])
    wait_until(lambda: plant.count("relay_letter") == 1, "it is set aside")
    world.publish(recording(f"notify-refused/{PUMP}/value")[22:])
    wait_until(lambda: len(receiver.taken) == 1 and plant.count("outbox") == 0, "its end is told")
    sink, reason, body = plant.query("SELECT sink, reason, body FROM relay_letter")[0]
    assert (sink, reason) == ("notify:team/1", "413 JSON does not take it")
    assert json.loads(body)["title"].endswith(f"alarm: {PUMP} (value)")


@pytest.mark.slow
def test_a_test_message_is_sent_to_all_and_says_who_has_not_taken_it(
    tmp_path: Path, mail_server: MailServer, receiver: Receiver
) -> None:
    (tmp_path / "urls").write_text(f"{mail_server.url}\njson://127.0.0.1:{receiver.port}/path-secret\n")
    config = tmp_path / "foresense.yaml"
    monitors = {"pumps": monitor("any")}
    told = {"team": {"urls_file": "urls"}, "boss": {"urls_variable": "NONE"}}
    config.write_text(yaml.safe_dump({"monitors": monitors, "notifications": told}))
    receiver.answer = lambda _: Reply(403)

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("foresense")), "test-notifications", str(config), *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    done = run("--only", "team")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "team/1: E-Mail: taken",
        "team/2: JSON: 403 JSON does not take it (may this user or token write there?)",
    ]
    (mail,) = mail_server.taken
    assert mail["Subject"] == "Test of notifications"
    assert parts(mail)["image/png"].startswith(b"\x89PNG")

    receiver.answer = lambda _: Reply()
    assert run("--only", "team").returncode == 0
    missing = run()
    assert missing.returncode == 1
    assert "notifications.boss: urls_variable: NONE: expected at least one URL, got none" in missing.stderr
    assert "expected notifications of the name 'nobody', known are boss, team" in run("--only", "nobody").stderr
