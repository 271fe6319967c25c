# Generated from openapi.yaml by openapi-python-client 0.29.1.
# Do not edit: change openapi.yaml and run `make generate`.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.error_details import ErrorDetails


T = TypeVar("T", bound="Error")


@_attrs_define
class Error:
    """The body of an error answer. The service gives its reason under `reason`, some of its parts under
    `message`, `error` or `detail`; gateways in front of it answer HTML.

    """

    reason: None | str | Unset = UNSET
    """ What went wrong, for a person. """
    message: None | str | Unset = UNSET
    """ The reason, from parts of the service that name it so. """
    error: Any | Unset = UNSET
    """ The reason, from parts of the service that name it so; a text or an object. """
    detail: Any | Unset = UNSET
    """ The reason, from parts of the service that name it so; a text, an object or a list. """
    traceId: None | str | Unset = UNSET
    """ What support needs to find the request. """
    trace_id: None | str | Unset = UNSET
    """ The same, from parts of the service that name it so. """
    remaining_seconds: float | None | Unset = UNSET
    """ On a 429, after how many seconds to try again. """
    details: ErrorDetails | None | Unset = UNSET
    """ On a 429 of a plan's limit, which limit that is; trying again at once meets it again. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.error_details import ErrorDetails  # noqa: PLC0415

        reason: None | str | Unset
        if isinstance(self.reason, Unset):
            reason = UNSET
        else:
            reason = self.reason

        message: None | str | Unset
        if isinstance(self.message, Unset):
            message = UNSET
        else:
            message = self.message

        error = self.error

        detail = self.detail

        traceId: None | str | Unset
        if isinstance(self.traceId, Unset):
            traceId = UNSET
        else:
            traceId = self.traceId

        trace_id: None | str | Unset
        if isinstance(self.trace_id, Unset):
            trace_id = UNSET
        else:
            trace_id = self.trace_id

        remaining_seconds: float | None | Unset
        if isinstance(self.remaining_seconds, Unset):
            remaining_seconds = UNSET
        else:
            remaining_seconds = self.remaining_seconds

        details: dict[str, Any] | None | Unset
        if isinstance(self.details, Unset):
            details = UNSET
        elif isinstance(self.details, ErrorDetails):
            details = self.details.to_dict()
        else:
            details = self.details

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if reason is not UNSET:
            field_dict["reason"] = reason
        if message is not UNSET:
            field_dict["message"] = message
        if error is not UNSET:
            field_dict["error"] = error
        if detail is not UNSET:
            field_dict["detail"] = detail
        if traceId is not UNSET:
            field_dict["traceId"] = traceId
        if trace_id is not UNSET:
            field_dict["trace_id"] = trace_id
        if remaining_seconds is not UNSET:
            field_dict["remainingSeconds"] = remaining_seconds
        if details is not UNSET:
            field_dict["details"] = details

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.error_details import ErrorDetails  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_reason(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        reason = _parse_reason(d.pop("reason", UNSET))

        def _parse_message(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        message = _parse_message(d.pop("message", UNSET))

        error = d.pop("error", UNSET)

        detail = d.pop("detail", UNSET)

        def _parse_traceId(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        traceId = _parse_traceId(d.pop("traceId", UNSET))

        def _parse_trace_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        trace_id = _parse_trace_id(d.pop("trace_id", UNSET))

        def _parse_remaining_seconds(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        remaining_seconds = _parse_remaining_seconds(d.pop("remainingSeconds", UNSET))

        def _parse_details(data: object) -> ErrorDetails | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                details_type_0 = ErrorDetails.from_dict(data)

                return details_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ErrorDetails | None | Unset, data)

        details = _parse_details(d.pop("details", UNSET))

        error = cls(
            reason=reason,
            message=message,
            error=error,
            detail=detail,
            traceId=traceId,
            trace_id=trace_id,
            remaining_seconds=remaining_seconds,
            details=details,
        )

        error.additional_properties = d
        return error

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
