# Generated from openapi.yaml by openapi-python-client 0.29.1.
# Do not edit: change openapi.yaml and run `make generate`.
from enum import StrEnum


class UploadSource(StrEnum):
    CIVITAI = "civitai"
    HUGGINGFACE = "huggingface"
    MULTIPART = "multipart"
    OTHER = "other"
    URL = "url"

    def __str__(self) -> str:
        return str(self.value)
