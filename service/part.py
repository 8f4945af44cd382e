"""What the parts of the configuration have in common."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from edge.duration import parse_duration
from edge.errors import ConfigError


class Part(BaseModel):
    """Some settings that belong together; they do not change, and an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _duration(text: str) -> str:
    try:
        parse_duration(text)
    except ConfigError as error:
        raise ValueError(str(error).removeprefix("interval: ")) from error
    return text


Duration = Annotated[str, AfterValidator(_duration)]  #: such as '10s', as it was written
