import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edge.bundle import Bundle
from edge.errors import ConfigError
from edge.manifest import Channel
from edge.runtimes.litert import LiteRuntime
from models.tflite.header import header, step_of
from models.tflite.micro import Fit
from service.cli import main

FIT = Fit(arena=4096, worst=0.0)
PROGRAM = """
#include <stdio.h>
#include "pump.h"
int main(void) {
  fwrite(pump_model, 1, PUMP_MODEL_BYTES, stdout);
  fprintf(stderr, "%d %d %d %.9g %.9g %d", PUMP_CHANNELS, PUMP_INPUTS, PUMP_MEMORY, pump_scale[1], pump_reach,
          (int)((unsigned long)pump_model % 16));
  return 0;
}
"""


@pytest.fixture(scope="module")
def exported(trained: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the header that the command writes, after it has run the step in TFLite Micro."""
    path: Path = tmp_path_factory.mktemp("header") / "pump.h"
    result = CliRunner().invoke(main, ["export-c", str(trained.path), "--out", str(path), "--stream", "pump-2"])
    assert result.exit_code == 0, result.output
    assert "step.tflite, " in result.output
    assert "of LiteRT" in result.output
    return path


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_a_program_of_the_header_has_the_model_and_the_scaling(exported: Path, trained: Bundle) -> None:
    (exported.parent / "main.c").write_text(PROGRAM)
    subprocess.run(["cc", "-Wall", "-Werror", "-o", "main", "main.c"], cwd=exported.parent, check=True)
    done = subprocess.run([exported.parent / "main"], capture_output=True, check=True)
    assert done.stdout == trained.files["step.tflite"]
    channels, inputs, memory, scale, reach, offset = done.stderr.split()
    assert (int(channels), int(inputs), int(memory)) == (2, 6, trained.manifest.memory)
    assert float(scale) == np.float32(trained.manifest.scaling.streams["pump-2"].scale[1])
    assert 1 < float(reach) < 100
    assert int(offset) == 0


@pytest.mark.skipif(shutil.which("c++") is None, reason="there is no C++ compiler")
def test_the_header_is_one_of_cpp_as_well(exported: Path) -> None:
    (exported.parent / "main.cc").write_text('#include "pump.h"\nint main() { return pump_model[0] == 0; }\n')
    subprocess.run(["c++", "-std=c++11", "-c", "main.cc"], cwd=exported.parent, check=True)


def test_a_stream_that_the_bundle_does_not_know_is_told(trained: Bundle) -> None:
    with pytest.raises(ConfigError, match="--stream: expected one that pump was trained on, got 'other'"):
        header(trained, "step.tflite", FIT, (), "other")


def test_names_cannot_end_a_comment(trained: Bundle) -> None:
    from dataclasses import replace

    channels = (Channel("flow", "*/ int x;\n"), *trained.manifest.channels[1:])
    manifest = replace(trained.manifest, channels=channels, name="9 pump*/")
    text = header(replace(trained, manifest=manifest), "step.tflite", FIT, (), None)
    assert text.count("*/") == 3
    assert "#ifndef FORESENSE_BUNDLE_9_PUMP___H" in text


def test_single_precision_is_taken_where_nothing_else_was_shipped(trained: Bundle) -> None:
    assert step_of(trained, float32=False) == "step.tflite"
    LiteRuntime(trained.files["step.tflite"])
