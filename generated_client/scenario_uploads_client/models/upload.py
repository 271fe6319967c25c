# Generated from openapi.yaml by openapi-python-client 0.29.1.
# Do not edit: change openapi.yaml and run `make generate`.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.upload_kind import UploadKind
from ..models.upload_provider import UploadProvider
from ..models.upload_source import UploadSource
from ..models.upload_status import UploadStatus
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.upload_asset_options import UploadAssetOptions
    from ..models.upload_part import UploadPart


T = TypeVar("T", bound="Upload")


@_attrs_define
class Upload:
    """An upload and where it stands."""

    id: str
    """ The id of the upload. """
    author_id: str
    """ The id of the user or key that created the upload. """
    created_at: str
    """ When the upload was created, ISO 8601. """
    file_name: str
    """ Where the service stores the file, a path; `originalFileName` is the name that was given. """
    kind: UploadKind
    """ The kind of the file once validated (example: "model"). """
    owner_id: str
    """ The id of the project or team that owns the upload. """
    source: UploadSource
    """ Where the bytes of an upload come from. """
    status: UploadStatus
    """ Where an upload stands. `imported` and `failed` are the ends; `complete` means that the parts are
    accepted and processing goes on.
     """
    updated_at: str
    """ When the upload last changed, ISO 8601. """
    asset_options: None | Unset | UploadAssetOptions = UNSET
    """ What was asked for the asset that the upload makes, with the defaults for what was not. In every create
    answer.
     """
    config: Any | Unset = UNSET
    """ Settings that the service derived from the file; any JSON value. In every create answer. """
    content_type: None | str | Unset = UNSET
    """ The MIME type given at creation. Only in the create answer. """
    entity_id: None | str | Unset = UNSET
    """ The id of the asset or model that the upload became; null until it is known. """
    error_message: None | str | Unset = UNSET
    """ Why the upload failed. """
    file_size: int | None | Unset = UNSET
    """ The size of the file in bytes. Only in the create answer. """
    job_id: None | str | Unset = UNSET
    """ The id of the job that processes the file. In every create answer. """
    original_file_name: None | str | Unset = UNSET
    """ The file name given at creation. Only in the create answer. """
    parts: list[UploadPart] | None | Unset = UNSET
    """ One presigned URL for each part. Only in the create answer of a multipart upload. """
    parts_count: int | None | Unset = UNSET
    """ How many parts the file is sent in. Only in the create answer. """
    provider: None | Unset | UploadProvider = UNSET
    """ Where an imported model comes from. """
    url: None | str | Unset = UNSET
    """ The URL that the service fetches the file from. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.upload_asset_options import UploadAssetOptions  # noqa: PLC0415

        id = self.id

        author_id = self.author_id

        created_at = self.created_at

        file_name = self.file_name

        kind = self.kind.value

        owner_id = self.owner_id

        source = self.source.value

        status = self.status.value

        updated_at = self.updated_at

        asset_options: dict[str, Any] | None | Unset
        if isinstance(self.asset_options, Unset):
            asset_options = UNSET
        elif isinstance(self.asset_options, UploadAssetOptions):
            asset_options = self.asset_options.to_dict()
        else:
            asset_options = self.asset_options

        config = self.config

        content_type: None | str | Unset
        if isinstance(self.content_type, Unset):
            content_type = UNSET
        else:
            content_type = self.content_type

        entity_id: None | str | Unset
        if isinstance(self.entity_id, Unset):
            entity_id = UNSET
        else:
            entity_id = self.entity_id

        error_message: None | str | Unset
        if isinstance(self.error_message, Unset):
            error_message = UNSET
        else:
            error_message = self.error_message

        file_size: int | None | Unset
        if isinstance(self.file_size, Unset):
            file_size = UNSET
        else:
            file_size = self.file_size

        job_id: None | str | Unset
        if isinstance(self.job_id, Unset):
            job_id = UNSET
        else:
            job_id = self.job_id

        original_file_name: None | str | Unset
        if isinstance(self.original_file_name, Unset):
            original_file_name = UNSET
        else:
            original_file_name = self.original_file_name

        parts: list[dict[str, Any]] | None | Unset
        if isinstance(self.parts, Unset):
            parts = UNSET
        elif isinstance(self.parts, list):
            parts = []
            for parts_type_0_item_data in self.parts:
                parts_type_0_item = parts_type_0_item_data.to_dict()
                parts.append(parts_type_0_item)

        else:
            parts = self.parts

        parts_count: int | None | Unset
        if isinstance(self.parts_count, Unset):
            parts_count = UNSET
        else:
            parts_count = self.parts_count

        provider: None | str | Unset
        if isinstance(self.provider, Unset):
            provider = UNSET
        elif isinstance(self.provider, UploadProvider):
            provider = self.provider.value
        else:
            provider = self.provider

        url: None | str | Unset
        if isinstance(self.url, Unset):
            url = UNSET
        else:
            url = self.url

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "authorId": author_id,
                "createdAt": created_at,
                "fileName": file_name,
                "kind": kind,
                "ownerId": owner_id,
                "source": source,
                "status": status,
                "updatedAt": updated_at,
            }
        )
        if asset_options is not UNSET:
            field_dict["assetOptions"] = asset_options
        if config is not UNSET:
            field_dict["config"] = config
        if content_type is not UNSET:
            field_dict["contentType"] = content_type
        if entity_id is not UNSET:
            field_dict["entityId"] = entity_id
        if error_message is not UNSET:
            field_dict["errorMessage"] = error_message
        if file_size is not UNSET:
            field_dict["fileSize"] = file_size
        if job_id is not UNSET:
            field_dict["jobId"] = job_id
        if original_file_name is not UNSET:
            field_dict["originalFileName"] = original_file_name
        if parts is not UNSET:
            field_dict["parts"] = parts
        if parts_count is not UNSET:
            field_dict["partsCount"] = parts_count
        if provider is not UNSET:
            field_dict["provider"] = provider
        if url is not UNSET:
            field_dict["url"] = url

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.upload_asset_options import UploadAssetOptions  # noqa: PLC0415
        from ..models.upload_part import UploadPart  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        author_id = d.pop("authorId")

        created_at = d.pop("createdAt")

        file_name = d.pop("fileName")

        kind = UploadKind(d.pop("kind"))

        owner_id = d.pop("ownerId")

        source = UploadSource(d.pop("source"))

        status = UploadStatus(d.pop("status"))

        updated_at = d.pop("updatedAt")

        def _parse_asset_options(data: object) -> None | Unset | UploadAssetOptions:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                asset_options_type_0 = UploadAssetOptions.from_dict(data)

                return asset_options_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Unset | UploadAssetOptions, data)

        asset_options = _parse_asset_options(d.pop("assetOptions", UNSET))

        config = d.pop("config", UNSET)

        def _parse_content_type(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        content_type = _parse_content_type(d.pop("contentType", UNSET))

        def _parse_entity_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        entity_id = _parse_entity_id(d.pop("entityId", UNSET))

        def _parse_error_message(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        error_message = _parse_error_message(d.pop("errorMessage", UNSET))

        def _parse_file_size(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        file_size = _parse_file_size(d.pop("fileSize", UNSET))

        def _parse_job_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        job_id = _parse_job_id(d.pop("jobId", UNSET))

        def _parse_original_file_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        original_file_name = _parse_original_file_name(d.pop("originalFileName", UNSET))

        def _parse_parts(data: object) -> list[UploadPart] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                parts_type_0 = []
                _parts_type_0 = data
                for parts_type_0_item_data in _parts_type_0:
                    parts_type_0_item = UploadPart.from_dict(parts_type_0_item_data)

                    parts_type_0.append(parts_type_0_item)

                return parts_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[UploadPart] | None | Unset, data)

        parts = _parse_parts(d.pop("parts", UNSET))

        def _parse_parts_count(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        parts_count = _parse_parts_count(d.pop("partsCount", UNSET))

        def _parse_provider(data: object) -> None | Unset | UploadProvider:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                provider_type_0 = UploadProvider(data)

                return provider_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Unset | UploadProvider, data)

        provider = _parse_provider(d.pop("provider", UNSET))

        def _parse_url(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        url = _parse_url(d.pop("url", UNSET))

        upload = cls(
            id=id,
            author_id=author_id,
            created_at=created_at,
            file_name=file_name,
            kind=kind,
            owner_id=owner_id,
            source=source,
            status=status,
            updated_at=updated_at,
            asset_options=asset_options,
            config=config,
            content_type=content_type,
            entity_id=entity_id,
            error_message=error_message,
            file_size=file_size,
            job_id=job_id,
            original_file_name=original_file_name,
            parts=parts,
            parts_count=parts_count,
            provider=provider,
            url=url,
        )

        upload.additional_properties = d
        return upload

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
