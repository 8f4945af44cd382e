"""Recognition: which convention the messages of a topic follow."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from edge.payloads.number import NumberPayload
from edge.payloads.payload import LARGEST_PAYLOAD
from edge.payloads.rejects import RejectError
from service.payloads import senml, sparkplug
from service.payloads.compression import expand
from service.payloads.document import read_json
from service.payloads.influx import InfluxPayload
from service.payloads.line_protocol import read_points
from service.payloads.objects import ObjectPayload
from service.payloads.states import WORDS
from service.payloads.telegraf import TelegrafPayload, metrics_in
from service.sniff.document import find_settings
from service.sniff.survey import Topic

_LOOKED_AT = 8  # samples of a topic
_STATISTICS = frozenset({"SENSOR", "STATE"})
_HOME_ASSISTANT = frozenset({"homeassistant", "hass", "ha", "statestream"})
_TEMPERATURE = {"C": "degC", "F": "degF"}
_TAGS_LEFT_OUT = frozenset({"topic"})  # Telegraf's own


@dataclass(slots=True)
class Form:
    """How the messages of some topics are written."""

    convention: str
    settings: dict[str, Any] = field(default_factory=dict)  #: of a monitor
    units: dict[str, str] = field(default_factory=dict)  #: by channel; '' of a TOPIC's only one
    tags: list[dict[str, str]] = field(default_factory=list)  #: of metrics

    @property
    def kind(self) -> tuple[str, ...]:
        """Return what topics of one monitor have in common."""
        return (self.convention, *(str(self.settings.get(name, "")) for name in ("value", "time", "step")))


def recognise(topic: Topic) -> Form | None:
    """Return how most of the topic's messages are written, or None if that is nothing we read."""
    forms = [form for sample in topic.samples[:_LOOKED_AT] if (form := _recognise(topic, sample.payload)) is not None]
    if not forms:
        return None
    kind, _ = Counter(form.kind for form in forms).most_common(1)[0]
    chosen = [form for form in forms if form.kind == kind]
    whole = chosen[0]
    for form in chosen[1:]:
        whole.settings = _joined(whole.settings, form.settings)
        whole.units |= form.units
        whole.tags += form.tags
    return whole


def _joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return settings with the fields of both."""
    fields = other.get("fields", {}) | one.get("fields", {})
    return one | ({"fields": fields} if fields else {})


def join(forms: list[Form]) -> Form:
    """Return one form for topics of one kind."""
    whole = Form(forms[0].convention, forms[0].settings)
    for form in forms:
        whole.settings = _joined(whole.settings, form.settings)
        whole.units |= form.units
        whole.tags += form.tags
    return whole


def _recognise(topic: Topic, payload: bytes) -> Form | None:
    try:
        plain = expand(payload, LARGEST_PAYLOAD)
    except RejectError:
        return None
    for look in (_as_sparkplug, _as_text, _as_json, _as_senml, _as_lines):
        if form := look(topic, plain):
            return form
    return None


def _reads(read: Callable[[], Any]) -> Any:
    """Return what is read, or None if it is a reject."""
    try:
        return read()
    except RejectError:
        return None


def _as_sparkplug(topic: Topic, payload: bytes) -> Form | None:
    if not topic.name.startswith("spBv1.0/") or len(topic.levels) < 4:
        return None
    units = _reads(lambda: sparkplug.units(payload))
    return None if units is None else Form("sparkplug", units=units)


def _as_text(topic: Topic, payload: bytes) -> Form | None:
    is_state = len(topic.levels) >= 4 and topic.levels[-3] == "sensor" and topic.levels[-1] == "state"
    if not (payload.strip().lower() in WORDS and is_state) and not _reads(lambda: NumberPayload().parse(payload, "")):
        return None
    if is_state:
        return Form("homeassistant" if topic.levels[0] in _HOME_ASSISTANT else "esphome")
    return Form("number")


def _as_json(topic: Topic, payload: bytes) -> Form | None:
    document = _reads(lambda: read_json(payload))
    if not isinstance(document, dict | list):
        return None
    if _reads(lambda: TelegrafPayload({}, (), "UTC").parse(payload, "")):
        return Form("telegraf", tags=[_texts(metric.get("tags", {})) for metric in metrics_in(document)])
    if isinstance(document, dict) and (form := _as_object(topic, document, payload)):
        return form
    if isinstance(document, list) and (form := _as_senml(topic, payload)):
        return form
    settings = find_settings(document)
    return Form("json", settings) if settings else None


def _as_object(topic: Topic, document: dict[str, Any], payload: bytes) -> Form | None:
    if not _reads(lambda: ObjectPayload("Time", {}, "UTC").parse(payload, "")):
        return None
    if "Time" in document and topic.levels[-1] in _STATISTICS:
        unit = _TEMPERATURE.get(str(document.get("TempUnit")), "")
        return Form("tasmota", units={"Temperature": unit} if unit else {})
    return Form("zigbee2mqtt") if "linkquality" in document or topic.levels[0] == "zigbee2mqtt" else None


def _as_senml(_topic: Topic, payload: bytes) -> Form | None:
    records = _reads(lambda: list(senml.resolve(senml.read_records(payload))))
    if not records:
        return None
    return Form("senml", units={record["n"]: str(record["u"]) for record in records if record["u"]})


def _as_lines(_topic: Topic, payload: bytes) -> Form | None:
    if not _reads(lambda: InfluxPayload({}, ()).parse(payload, "")):
        return None
    return Form("influx", tags=[dict(point.tags) for point in read_points(payload.decode())])


def _texts(tags: dict[str, Any]) -> dict[str, str]:
    return {name: str(tag) for name, tag in tags.items()}


def telling_tags(tags: list[dict[str, str]]) -> list[str]:
    """Return the names of the tags that tell metrics apart, those that all of them have."""
    common = set.intersection(*map(set, tags)) if tags else set()
    names = [name for name in (tags[0] if tags else {}) if name in common - _TAGS_LEFT_OUT]
    return [name for name in names if len({each[name] for each in tags}) > 1] or names[:1]
