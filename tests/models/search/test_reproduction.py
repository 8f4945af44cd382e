import shlex
from itertools import pairwise

import click
import pytest

from models.cli import pairs, train
from models.search.cli import tune
from models.search.reproduction import train_command
from models.search.task import Task
from models.spec import ForecasterSpec, TrainingSpec, read_settings

TASK = Task("line 7", (), budget="2 per week")


def command_of(command: click.Command, arguments: list[str], *specs: ForecasterSpec | TrainingSpec) -> list[str]:
    with command.make_context("foresense", arguments) as context:
        return shlex.split(train_command(context, TASK, *specs))  # type: ignore[arg-type]


def test_the_command_says_what_was_told_of_the_data_and_no_more() -> None:
    arguments = ["my data.csv", "--channel", "flow=l/s", "--channel", "heat", "--exclude", "a/b", "--normal"]
    words = command_of(tune, [*arguments, "--jobs", "1", "--report", "x.html"], ForecasterSpec("gru"), TrainingSpec())
    told = shlex.split(
        "foresense train 'my data.csv' --exclude a/b --normal --channel flow=l/s --channel heat "
        "--name 'line 7' --budget '2 per week' --family gru"
    )
    assert (words[:3], sorted(words)) == (told[:3], sorted(told))


@pytest.mark.parametrize(
    ("spec", "training", "settings"),
    [
        (ForecasterSpec("mlp", units=16, skip=False), TrainingSpec(), {"units=16", "skip=false", "order=0"}),
        (ForecasterSpec("ar"), TrainingSpec(learning_rate=0.00123, seed=4), {"learning_rate=0.00123", "seed=4"}),
    ],
)
def test_the_command_gives_the_specs_again(spec: ForecasterSpec, training: TrainingSpec, settings: set[str]) -> None:
    words = command_of(train, ["d.csv", "--channel", "v"], spec, training)
    assert {word for flag, word in pairwise(words) if flag == "--set"} == settings
    with train.make_context("train", words[2:]) as context:
        given = pairs(context.params["settings"]) | {"family": context.params["family"]}
        assert read_settings(given) == (spec, training)
        assert context.params["data"] == "d.csv"
