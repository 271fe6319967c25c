# Generated from openapi.yaml by openapi-python-client 0.29.1.
# Do not edit: change openapi.yaml and run `make generate`.
from enum import StrEnum


class UploadDryRun(StrEnum):
    API = "api"
    TRUE = "true"

    def __str__(self) -> str:
        return str(self.value)
