"""What goes wrong in the sandbox.

```text
Exception
├── SandboxError     the sandbox cannot do what the developer asked for
│   └── StorageError the S3 side refused or failed
├── Refusal          a request that is answered with an error status
└── ContractBreach   an answer of the sandbox that does not fit the contract: a bug of the sandbox
```
"""

from collections.abc import Mapping


class SandboxError(Exception):
    """The sandbox cannot start, or was asked for something that it does not have."""


class StorageError(SandboxError):
    """The S3 side refused or failed. The message has the S3 error code, never a URL or a key."""


class Refusal(Exception):  # noqa: N818 - an answer to a client, not a fault of the sandbox
    """A request that the service refuses.

    Args:
        status: The HTTP status of the answer.
        reason: What is wrong, for a person; the `reason` of the error body.
        headers: Further headers of the answer.
    """

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = dict(headers or {})


class ContractBreach(Exception):  # noqa: N818 - named for what happened, as `Refusal` is
    """An answer of the sandbox that does not fit the contract."""
