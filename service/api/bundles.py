"""/v1/bundles: the forecasters there are, and who uses them."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from edge.errors import BundleError
from service.api.answers import FromSource, answer
from service.api.problems import UNKNOWN, missing
from service.api.source import Source

router = APIRouter(tags=["bundles"])

_PLAIN = r"^[\w][\w.+-]*$"
Name = Annotated[str, Path(max_length=100, pattern=_PLAIN)]


class BundleChannel(BaseModel):
    """A channel that a bundle watches."""

    name: str
    unit: str


class Bundle(BaseModel):
    """A bundle in the folder."""

    name: str
    version: str
    monitors: list[str] = Field(description="that have it in force")
    problem: str | None = Field(description="why it may not be trusted; then nothing else is known")
    created: str | None = None
    family: str | None = None
    channels: list[BundleChannel] = []
    interval_ms: int | None = None
    time_zone: str | None = None
    budget: str | None = None
    metrics: dict[str, float | None] = {}
    data: dict[str, Any] = Field(default={}, description="what it was trained on")
    files: dict[str, int] = Field(default={}, description="bytes, by name")


class Bundles(BaseModel):
    """All bundles in the folder."""

    bundles: list[Bundle]


@router.get("/v1/bundles", response_model=Bundles)
def list_bundles(request: Request, source: FromSource) -> Response:
    """List the bundles, by name, the highest version first."""
    folders = [path for path in source.settings.bundles.glob("*/*") if path.is_dir() and not path.name.startswith(".")]
    folders.sort(key=lambda path: (path.parent.name, -int(path.name) if path.name.isdecimal() else 0, path.name))
    return answer(request, {"bundles": [_facts(source, path.parent.name, path.name) for path in folders]})


@router.get("/v1/bundles/{name}/{version}", response_model=Bundle, responses=UNKNOWN)
def one_bundle(request: Request, source: FromSource, name: Name, version: Name) -> Response:
    """Tell of one bundle."""
    if not (source.settings.bundles / name / version).is_dir():
        raise missing("a bundle, as /v1/bundles lists them", f"{name}/{version}")
    return answer(request, _facts(source, name, version))


def _facts(source: Source, name: str, version: str) -> dict[str, Any]:
    reference = f"{name}/{version}"
    told = source.standing.get("monitors", {})
    facts: dict[str, Any] = {"name": name, "version": version, "problem": None}
    facts["monitors"] = [monitor for monitor, each in told.items() if each["bundle"] == reference]
    try:
        manifest = source.bundle(reference).manifest
    except BundleError as error:
        return facts | {"problem": str(error)}
    return facts | {
        "created": manifest.created,
        "family": manifest.spec.get("family"),
        "channels": [{"name": channel.name, "unit": channel.unit} for channel in manifest.channels],
        "interval_ms": manifest.interval_ms,
        "time_zone": manifest.time_zone,
        "budget": manifest.budget,
        "metrics": manifest.metrics,
        "data": manifest.data,
        "files": {each: entry.size for each, entry in manifest.files.items()},
    }
