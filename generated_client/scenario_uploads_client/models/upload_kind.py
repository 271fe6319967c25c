# Generated from openapi.yaml by openapi-python-client 0.29.1.
# Do not edit: change openapi.yaml and run `make generate`.
from enum import StrEnum


class UploadKind(StrEnum):
    ASSET = "asset"
    AUDIO = "audio"
    AVATAR = "avatar"
    IMAGE = "image"
    MODEL = "model"
    TEXT = "text"
    THREE_D = "3d"
    VIDEO = "video"

    def __str__(self) -> str:
        return str(self.value)
