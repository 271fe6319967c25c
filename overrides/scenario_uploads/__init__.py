"""Upload files of any size to Scenario.

    from scenario_uploads import Scenario

    with Scenario() as client:
        upload = client.uploads.upload_file("dragon.glb")
        print(upload.entity_id)

Names are loaded on first use, so importing the package is fast.
"""

from importlib import import_module as _import_module
from types import ModuleType as _ModuleType
from typing import Any as _Any

# Where names are; errors and models list theirs. Type checkers read `__init__.pyi`, which `make generate` writes.
_HOMES = {
    "arguments": "NOT_GIVEN NotGiven Omit not_given omit",
    "bulk.options": "UploadResult",
    "client.async_client": "AsyncClient AsyncScenario AsyncUploads",
    "client.async_response": "AsyncAPIResponse",
    "client.async_runner": "AsyncUploadHandle",
    "client.runner": "UploadHandle",
    "client.sync_client": "Client Scenario Uploads",
    "client.sync_response": "APIResponse",
    "decoding.enums": "is_known",
    "progress": "BulkProgress UploadPhase UploadProgress",
    "retry": "DEFAULT_MAX_RETRIES",
    "settings.defaults": "DEFAULT_CONNECTION_LIMITS DEFAULT_TIMEOUT DefaultAsyncHttpxClient DefaultHttpxClient Timeout",
    "errors": "",
    "models": "",
}


def __getattr__(name: str) -> _Any:
    if name == "UploadSource":
        # The contract's enum of this name also makes sources for `upload_many`.
        _load("bulk.options")
    if name == "__all__":
        return sorted({name for home in _HOMES for name in _list_names(home)})
    if name == "__version__":
        return _load("system").find_version()
    if name in ("errors", "models", "types"):
        return _load(name)
    for home in () if name.startswith("_") else _HOMES:
        if name in _list_names(home):
            module = _load(home)
            # With the others of the module, which annotations of its classes name.
            for each in _HOMES[home].split() or [name]:
                globals()[each] = getattr(module, each)
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _list_names(home: str) -> list[str]:
    return _HOMES[home].split() or _load(home).__all__


def _load(home: str) -> _ModuleType:
    return _import_module(f".{home}", __name__)


def __dir__() -> list[str]:
    return sorted({name for name in globals() if name.startswith("__")} | {"__version__", *__getattr__("__all__")})
