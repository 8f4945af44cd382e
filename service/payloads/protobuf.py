"""The part of Sparkplug B's protobuf schema that readings need, under the field numbers of its specification."""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from edge.payloads.rejects import Reason, RejectError

_PACKAGE = "foresense.sparkplug"
_Field = descriptor_pb2.FieldDescriptorProto
_UINT32, _UINT64, _FLOAT, _DOUBLE = _Field.TYPE_UINT32, _Field.TYPE_UINT64, _Field.TYPE_FLOAT, _Field.TYPE_DOUBLE
_BOOL, _STRING, _BYTES, _MESSAGE = _Field.TYPE_BOOL, _Field.TYPE_STRING, _Field.TYPE_BYTES, _Field.TYPE_MESSAGE

#: message -> (number, name, type) of its plain fields
_PLAIN = {
    "PropertyValue": ((1, "type", _UINT32), (2, "is_null", _BOOL)),
    "PropertySet": (),
    "Metric": (
        (1, "name", _STRING),
        (2, "alias", _UINT64),
        (3, "timestamp", _UINT64),
        (4, "datatype", _UINT32),
        (7, "is_null", _BOOL),
    ),
    "Payload": ((1, "timestamp", _UINT64), (3, "seq", _UINT64), (4, "uuid", _STRING), (5, "body", _BYTES)),
}
#: message -> (number, name, type) of the fields of which it has one, its value
_VALUE = {
    "PropertyValue": ((8, "string_value", _STRING),),
    "Metric": (
        (10, "int_value", _UINT32),
        (11, "long_value", _UINT64),
        (12, "float_value", _FLOAT),
        (13, "double_value", _DOUBLE),
        (14, "boolean_value", _BOOL),
        (15, "string_value", _STRING),
    ),
}
_REPEATED = {
    "PropertySet": ((1, "keys", _STRING, ""), (2, "values", _MESSAGE, "PropertyValue")),
    "Payload": ((2, "metrics", _MESSAGE, "Metric"),),
}


@cache
def payload_class() -> type[Any]:
    """Return the class of Sparkplug B's payloads."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{_PACKAGE}.proto", package=_PACKAGE, syntax="proto2")
    for name, plain in _PLAIN.items():
        message = file.message_type.add(name=name)
        for number, field, kind in plain:
            message.field.add(number=number, name=field, type=kind, label=_Field.LABEL_OPTIONAL)
        if name in _VALUE:
            message.oneof_decl.add(name="value")
        for number, field, kind in _VALUE.get(name, ()):
            message.field.add(number=number, name=field, type=kind, label=_Field.LABEL_OPTIONAL, oneof_index=0)
        for number, field, kind, of in _REPEATED.get(name, ()):
            added = message.field.add(number=number, name=field, type=kind, label=_Field.LABEL_REPEATED)
            if of:
                added.type_name = f".{_PACKAGE}.{of}"
        if name == "Metric":
            properties = message.field.add(number=9, name="properties", type=_MESSAGE, label=_Field.LABEL_OPTIONAL)
            properties.type_name = f".{_PACKAGE}.PropertySet"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    made: type[Any] = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))
    return made


def decode(payload: bytes) -> Any:
    """Return a payload; RejectError if it is none."""
    try:
        return payload_class().FromString(payload)
    except (DecodeError, ValueError, RuntimeError) as error:
        raise RejectError(Reason.SYNTAX, f"expected a Sparkplug B payload, got {payload[:64]!r}: {error}") from error


def encode(**fields: Any) -> bytes:
    """Return the bytes of a payload with these fields.

    >>> decode(encode(seq=3, metrics=[{"name": "flow", "datatype": 10, "double_value": 1.5}])).metrics[0].double_value
    1.5
    """
    encoded: bytes = payload_class()(**fields).SerializeToString()
    return encoded
