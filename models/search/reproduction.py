"""Reproduction: the `foresense train` command that makes a forecaster again from the same data."""

import shlex
from dataclasses import fields
from typing import Any

import click
from click.core import ParameterSource

from models.data.options import DataOptions, RecordingOptions
from models.search.space import text_of
from models.search.task import Task
from models.spec import ForecasterSpec, TrainingSpec

_OF_DATA = frozenset(each.name for kind in (DataOptions, RecordingOptions) for each in fields(kind))


def train_command(context: click.Context, task: Task, spec: ForecasterSpec, training: TrainingSpec) -> str:
    """Return the command line, with what the running command was told of the data, and each setting that counts."""
    words = ["foresense", "train"]
    for each in context.command.params:
        if each.name in _OF_DATA and context.get_parameter_source(each.name) == ParameterSource.COMMANDLINE:
            words += _words(each, context.params[each.name])
    words += ["--name", task.name, "--budget", task.budget, "--family", spec.family]
    for one, usual in ((spec, ForecasterSpec(spec.family)), (training, TrainingSpec())):
        for name in (each.name for each in fields(one)):
            if (value := getattr(one, name)) != getattr(usual, name):
                words += ["--set", f"{name}={text_of(value)}"]
    return shlex.join([*words, "--int8"] if task.int8 else words)


def _words(parameter: click.Parameter, value: Any) -> list[str]:
    values = value if isinstance(value, tuple) else (value,)
    if isinstance(parameter, click.Argument):
        return [str(each) for each in values]
    if value is True:
        return [parameter.opts[0]]
    return [word for each in values for word in (parameter.opts[0], str(each))]
