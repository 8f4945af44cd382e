"""The images' recipes: what a linter says of them, and the edge's carried out on this machine instead of an engine."""

import os
import re
import subprocess
from pathlib import Path
from sysconfig import get_path

import pytest

from tests.deploy.device import Device

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "deploy" / "docker"
DOCKERFILES = sorted(path.name for path in IMAGES.glob("*Dockerfile"))
EDGE = "edge.Dockerfile"


def instructions(name: str) -> list[tuple[str, str]]:
    """Return the instructions of a recipe, such as ("USER", "foresense"), each in one line."""
    text = (IMAGES / name).read_text().replace("\\\n", " ")
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line and line[0] != "#"]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_linter_finds_nothing(name: str) -> None:
    hadolint = Path(get_path("scripts")) / "hadolint"
    found = subprocess.run([hadolint, "--no-color", IMAGES / name], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_runs_as_a_user_of_its_own_in_a_folder_of_its_own(name: str) -> None:
    said = instructions(name)
    runs = "\n".join(words for instruction, words in said if instruction == "RUN")
    made = re.search(r"useradd --system --uid (\d+) .*&& install -d (.+)", runs)
    assert made is not None
    assert {words.partition(":")[0] for instruction, words in said if instruction == "USER"} == {made[1]}
    assert {words for instruction, words in said if instruction == "WORKDIR"} <= set(made[2].split())


@pytest.mark.slow
def test_the_edges_recipe_gives_a_program_that_runs(device: Device) -> None:
    path = f"{get_path('scripts')}:{os.environ['PATH']}"
    for name, words in instructions(EDGE):
        if name == "RUN":
            device.do("env", f"PATH={path}", "sh", "-ec", words.replace("/source", str(ROOT)))
    entry = re.findall(r'"(.+?)"', dict(instructions(EDGE))["ENTRYPOINT"])
    assert "run" in device.do(*entry, "--help")
    assert not device.has("/opt/foresense/bin/pip")
