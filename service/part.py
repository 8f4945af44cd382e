"""What the parts of the configuration have in common."""

from typing import Annotated, Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    ValidatorFunctionWrapHandler,
)
from pydantic_core import CoreSchema, core_schema

from edge.duration import parse_duration
from edge.errors import ConfigError


class Part(BaseModel):
    """Some settings that belong together; they do not change, and an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def check_duration(text: str) -> str:
    """Return a duration as it was written; ValueError if it is none."""
    try:
        parse_duration(text)
    except ConfigError as error:
        raise ValueError(str(error).removeprefix("interval: ")) from error
    return text


Duration = Annotated[str, AfterValidator(check_duration)]  #: such as '10s', as it was written


def _time_zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"expected a time zone such as 'Europe/Rome', got {text!r}") from error


TimeZone = Annotated[str, AfterValidator(_time_zone)]  #: name of one of the IANA's


def _by_channel(raw: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    return {channel: validate(each) for channel, each in raw.items()} if isinstance(raw, dict) else validate(raw)


def _of_channels(kind: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    return core_schema.no_info_wrap_validator_function(_by_channel, handler(get_args(kind)[0]))


ByChannel = GetPydanticSchema(_of_channels)  #: marks `T | Mapping[str, T]`; a mistake in it is told once, as one in a T
