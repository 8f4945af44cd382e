"""`foresense export-c`: a bundle for a microcontroller."""

from pathlib import Path

import click

from edge.bundle import read_bundle


@click.command("export-c")
@click.argument("path", metavar="BUNDLE", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Header to write.  [default: NAME.h]")
@click.option("--stream", help="Whose scaling it has.  [default: the first that the bundle was trained on]")
@click.option("--float32", is_flag=True, help="Take step.tflite even where there is a step in whole numbers.")
def export_c(path: Path, out: Path | None, stream: str | None, float32: bool) -> None:
    """Write a C header with the step of BUNDLE and its scaling, for TFLite Micro.

    The step is first run in TFLite Micro here, beside LiteRT; one that it has no operators for is refused.
    """
    from models.quiet import quiet_tensorflow

    quiet_tensorflow()
    from models.tflite.conversion import operators
    from models.tflite.header import header, step_of
    from models.tflite.micro import fit

    bundle = read_bundle(path)
    file = step_of(bundle, float32=float32)
    model = bundle.files[file]
    found = fit(model, file)
    out = out or Path(f"{bundle.manifest.name}.h")
    out.write_text(header(bundle, file, found, operators(model, file), stream), encoding="utf-8")
    click.echo(f"{out}: {file}, {len(model)} bytes, arena of {found.arena} bytes, within {found.worst:.1e} of LiteRT")
