# Generated from openapi.yaml by openapi-python-client 0.29.1.
# Do not edit: change openapi.yaml and run `make generate`.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="UploadPart")


@_attrs_define
class UploadPart:
    """Where one part of a multipart upload is sent."""

    expires: str
    """ When the URL stops working, ISO 8601 with a time zone. That is 48 hours after the create. """
    number: int
    """ The number of the part. The service counts from 1; the reference's example shows 0. """
    url: str
    """ The presigned URL to `PUT` the part to, with a `Content-Length` and no `Authorization`, `Content-MD5` or
    `x-amz-*`, which the signature does not cover. Storage answers 200, with the MD5 of the part as its `ETag`.
    Everything past the `?` is a secret.
     """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        expires = self.expires

        number = self.number

        url = self.url

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "expires": expires,
                "number": number,
                "url": url,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        expires = d.pop("expires")

        number = d.pop("number")

        url = d.pop("url")

        upload_part = cls(
            expires=expires,
            number=number,
            url=url,
        )

        upload_part.additional_properties = d
        return upload_part

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
