# Generated from openapi.yaml by openapi-python-client 0.29.1.
# Do not edit: change openapi.yaml and run `make generate`.
from enum import StrEnum


class UploadStatus(StrEnum):
    COMPLETE = "complete"
    FAILED = "failed"
    IMPORTED = "imported"
    PENDING = "pending"
    VALIDATED = "validated"
    VALIDATING = "validating"

    def __str__(self) -> str:
        return str(self.value)
