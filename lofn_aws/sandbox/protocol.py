"""Turns requests of EMR's JSON 1.1 protocol into parameters, and results into answers.

botocore's bundled service model says what an operation takes and gives, so the service never
has a second, hand-written idea of EMR's shapes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.session import get_session
from botocore.utils import parse_timestamp
from botocore.validate import ParamValidator

from lofn_aws.sandbox.faults import Fault, validation

CONTENT_TYPE = "application/x-amz-json-1.1"


@dataclass(frozen=True)
class Call:
    """One request: the operation's name and its checked parameters, timestamps as datetimes."""

    operation: str
    parameters: dict[str, Any]


@cache
def service_model() -> ServiceModel:
    """Return botocore's model of the service ``emr``."""
    return get_session().get_service_model("emr")


def target_prefix() -> str:
    """Return what the header X-Amz-Target of this service starts with (``ElasticMapReduce.``)."""
    return str(service_model().metadata["targetPrefix"]) + "."


def parse(target: str, body: bytes) -> Call:
    """Check a request against the model.

    Args:
        target: value of the header X-Amz-Target.
        body: the request's JSON text.

    Raises:
        Fault: UnknownOperationException, SerializationException or ValidationException.
    """
    name = target.removeprefix(target_prefix())
    model = _operation(name)
    parameters = _decode(body)
    shape = model.input_shape
    if shape is None:
        return Call(name, {})
    report = ParamValidator().validate(parameters, shape)
    if report.has_errors():
        raise validation(f"{name}: {report.generate_report()}")
    _constrain(parameters, shape, "")
    return Call(name, _convert(parameters, shape))


def serialise(operation: str, result: Mapping[str, Any]) -> bytes:
    """Return the JSON text of a result; members that are None are left out.

    Raises:
        ValueError: the result has a member that the operation's model does not know.
    """
    shape = _operation(operation).output_shape
    if shape is None:
        if result:
            raise ValueError(f"{operation} answers nothing, yet got {sorted(result)}")
        return b"{}"
    return json.dumps(_render(result, shape, operation)).encode()


def serialise_fault(fault: Fault) -> bytes:
    """Return the JSON text of an error, in the form that AWS's JSON protocol prescribes."""
    return json.dumps({"__type": fault.code, "message": fault.message}).encode()


def _operation(name: str) -> OperationModel:
    if name not in service_model().operation_names:
        raise Fault("UnknownOperationException", f"EMR has no operation named '{name}'.")
    return service_model().operation_model(name)


def _decode(body: bytes) -> dict[str, Any]:
    try:
        parameters = json.loads(body or b"{}")
    except ValueError as error:
        raise Fault("SerializationException", f"The request is not JSON: {error}") from None
    if not isinstance(parameters, dict):
        raise Fault("SerializationException", "The request is not a JSON object.")
    return dict(_without_nulls(parameters))


def _without_nulls(value: Any) -> Any:
    """Drop members that are null: AWS's protocol takes them as not given."""
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _constrain(value: Any, shape: Shape, path: str) -> None:
    """Check enumerations and lengths, which botocore leaves to the service."""
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            if value.get(name) is not None:
                _constrain(value[name], member, f"{path}.{_camel(name)}".lstrip("."))
    elif isinstance(shape, ListShape):
        for number, item in enumerate(value, start=1):
            _constrain(item, shape.member, f"{path}.{number}.member")
    elif shape.type_name == "string":
        _constrain_string(value, shape, path)


def _constrain_string(value: str, shape: Shape, path: str) -> None:
    allowed = shape.metadata.get("enum")
    longest = shape.metadata.get("max")
    if allowed and value not in allowed:
        rule = f"Member must satisfy enum value set: [{', '.join(allowed)}]"
    elif longest is not None and len(value) > longest:
        rule = f"Member must have length less than or equal to {longest}"
    else:
        return
    shown = value if len(value) <= 80 else value[:77] + "..."
    raise validation(
        f"1 validation error detected: Value '{shown}' at '{path}' "
        f"failed to satisfy constraint: {rule}"
    )


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _convert(value: Any, shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        return {
            name: _convert(value[name], member)
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [_convert(item, shape.member) for item in value]
    if shape.type_name == "timestamp":
        return parse_timestamp(value)
    return value


def _render(value: Any, shape: Shape, path: str) -> Any:
    if isinstance(shape, StructureShape):
        unknown = set(value) - set(shape.members)
        if unknown:
            raise ValueError(f"{path} has no member {sorted(unknown)} in EMR's model")
        return {
            name: _render(item, shape.members[name], f"{path}.{name}")
            for name, item in value.items()
            if item is not None
        }
    if isinstance(shape, ListShape):
        return [_render(item, shape.member, path) for item in value]
    if isinstance(value, datetime):
        return value.timestamp()
    return value
