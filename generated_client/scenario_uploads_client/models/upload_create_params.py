# Generated from openapi.yaml by openapi-python-client 0.29.1.
# Do not edit: change openapi.yaml and run `make generate`.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.upload_kind import UploadKind
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.upload_asset_options import UploadAssetOptions


T = TypeVar("T", bound="UploadCreateParams")


@_attrs_define
class UploadCreateParams:
    """What to upload. Every field is optional for the schema; which ones are needed depends on the source:
    multipart needs `fileName`, `contentType`, `fileSize`, `parts` and `kind`; a URL needs `url` and `kind`;
    Hugging Face needs `huggingFaceModelName`; Civitai needs `civitaiModelUrl`.

    """

    asset_options: UploadAssetOptions | Unset = UNSET
    """ What to do with the asset that the upload makes. Only for kinds that make one (not `model`). """
    civitai_model_url: str | Unset = UNSET
    """ The page of a Civitai model whose newest or named version is imported. """
    content_type: str | Unset = UNSET
    """ The MIME type of the file. Needed for multipart. """
    file_name: str | Unset = UNSET
    """ The name of the file. Needed for multipart. """
    file_size: int | Unset = UNSET
    """ The size of the file in bytes. Needed for multipart. The documentation speaks of at most 5 TB; whether the
    service takes an empty file is not known.
     """
    hugging_face_model_name: str | Unset = UNSET
    """ A model of the Hugging Face hub, as `owner/name`. """
    kind: UploadKind | Unset = UNSET
    """ The kind of the file once validated (example: "model"). """
    parts: int | Unset = UNSET
    """ How many parts the file is sent in. Every part but the last has at least 5 MiB. Needed for multipart.
     """
    url: str | Unset = UNSET
    """ A URL that the service fetches the file from. Needs `kind`. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        asset_options: dict[str, Any] | Unset = UNSET
        if not isinstance(self.asset_options, Unset):
            asset_options = self.asset_options.to_dict()

        civitai_model_url = self.civitai_model_url

        content_type = self.content_type

        file_name = self.file_name

        file_size = self.file_size

        hugging_face_model_name = self.hugging_face_model_name

        kind: str | Unset = UNSET
        if not isinstance(self.kind, Unset):
            kind = self.kind.value

        parts = self.parts

        url = self.url

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if asset_options is not UNSET:
            field_dict["assetOptions"] = asset_options
        if civitai_model_url is not UNSET:
            field_dict["civitaiModelUrl"] = civitai_model_url
        if content_type is not UNSET:
            field_dict["contentType"] = content_type
        if file_name is not UNSET:
            field_dict["fileName"] = file_name
        if file_size is not UNSET:
            field_dict["fileSize"] = file_size
        if hugging_face_model_name is not UNSET:
            field_dict["huggingFaceModelName"] = hugging_face_model_name
        if kind is not UNSET:
            field_dict["kind"] = kind
        if parts is not UNSET:
            field_dict["parts"] = parts
        if url is not UNSET:
            field_dict["url"] = url

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.upload_asset_options import UploadAssetOptions  # noqa: PLC0415

        d = dict(src_dict)
        _asset_options = d.pop("assetOptions", UNSET)
        asset_options: UploadAssetOptions | Unset
        if isinstance(_asset_options, Unset):
            asset_options = UNSET
        else:
            asset_options = UploadAssetOptions.from_dict(_asset_options)

        civitai_model_url = d.pop("civitaiModelUrl", UNSET)

        content_type = d.pop("contentType", UNSET)

        file_name = d.pop("fileName", UNSET)

        file_size = d.pop("fileSize", UNSET)

        hugging_face_model_name = d.pop("huggingFaceModelName", UNSET)

        _kind = d.pop("kind", UNSET)
        kind: UploadKind | Unset
        if isinstance(_kind, Unset):
            kind = UNSET
        else:
            kind = UploadKind(_kind)

        parts = d.pop("parts", UNSET)

        url = d.pop("url", UNSET)

        upload_create_params = cls(
            asset_options=asset_options,
            civitai_model_url=civitai_model_url,
            content_type=content_type,
            file_name=file_name,
            file_size=file_size,
            hugging_face_model_name=hugging_face_model_name,
            kind=kind,
            parts=parts,
            url=url,
        )

        upload_create_params.additional_properties = d
        return upload_create_params

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
