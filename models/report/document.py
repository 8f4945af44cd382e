"""The document: a report's template within the frame of all reports, as one HTML file.

The file holds its style and its charts, and asks for nothing from anywhere: no script, no font, no picture. A
content security policy says so to the browser, and every name is escaped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from edge.errors import DataError


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and what is to be read in it."""

    title: str
    svg: Markup
    text: str
    wide: bool = True


def drawn(svg: str) -> Markup:
    """Return a chart's SVG as it stands in the page."""
    return Markup(svg)  # noqa: S704 drawn here, without a name in it


def render_document(template: str, filters: Mapping[str, Callable[..., str]], **values: Any) -> str:
    """Return a template, such as report/template.html.j2, with its values as one HTML document."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(_read)
    )
    environment.filters |= filters
    style = Markup(_read("report/style.css"))  # noqa: S704 our own file
    return environment.get_template(template).render(style=style, **values)


def write_document(path: Path, text: str) -> None:
    """Write a document; DataError if the file cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: expected a file that can be written, got: {error.strerror}") from error


def _read(name: str) -> str:
    return files("models").joinpath(name).read_text("utf-8")
