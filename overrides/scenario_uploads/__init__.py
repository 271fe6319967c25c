"""Upload files of any size to Scenario.

    from scenario_uploads import Scenario

    with Scenario() as client:
        upload = client.uploads.upload_file("dragon.glb")
        print(upload.entity_id)

Names are loaded on first use, so importing the package is fast.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # No `__all__` here: type checkers would then ignore the names that the stars import.
    from . import types as types
    from .arguments import NOT_GIVEN as NOT_GIVEN
    from .arguments import NotGiven as NotGiven
    from .arguments import Omit as Omit
    from .arguments import not_given as not_given
    from .arguments import omit as omit
    from .bulk.options import UploadResult as UploadResult
    from .bulk.options import UploadSource as UploadSource
    from .client.async_client import AsyncClient as AsyncClient
    from .client.async_client import AsyncScenario as AsyncScenario
    from .client.async_client import AsyncUploads as AsyncUploads
    from .client.async_response import AsyncAPIResponse as AsyncAPIResponse
    from .client.async_runner import AsyncUploadHandle as AsyncUploadHandle
    from .client.runner import UploadHandle as UploadHandle
    from .client.sync_client import Client as Client
    from .client.sync_client import Scenario as Scenario
    from .client.sync_client import Uploads as Uploads
    from .client.sync_response import APIResponse as APIResponse
    from .decoding.enums import is_known as is_known
    from .errors import *  # noqa: F403
    from .models import *  # type: ignore[assignment]  # noqa: F403
    from .progress import BulkProgress as BulkProgress
    from .progress import UploadPhase as UploadPhase
    from .progress import UploadProgress as UploadProgress
    from .retry import DEFAULT_MAX_RETRIES as DEFAULT_MAX_RETRIES
    from .settings.defaults import DEFAULT_CONNECTION_LIMITS as DEFAULT_CONNECTION_LIMITS
    from .settings.defaults import DEFAULT_TIMEOUT as DEFAULT_TIMEOUT
    from .settings.defaults import DefaultAsyncHttpxClient as DefaultAsyncHttpxClient
    from .settings.defaults import DefaultHttpxClient as DefaultHttpxClient
    from .settings.defaults import Timeout as Timeout

    __version__: str

    # Imported twice, since the models have an enum of this name: mypy uses the first, pyright the last.
    from .bulk.options import UploadSource as UploadSource  # noqa: F811
else:
    from importlib import import_module as _import_module

    # Where names are; those of errors and models are in their `__all__`.
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
        "settings.defaults": "DEFAULT_CONNECTION_LIMITS DEFAULT_TIMEOUT DefaultAsyncHttpxClient DefaultHttpxClient"
        " Timeout",
        "errors": "",
        "models": "",
    }

    def __getattr__(name):
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
                value = globals()[name] = getattr(_load(home), name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def _list_names(home):
        return _HOMES[home].split() or _load(home).__all__

    def _load(home):
        return _import_module(f".{home}", __name__)

    def __dir__():
        return sorted({name for name in globals() if name.startswith("__")} | {"__version__", *__getattr__("__all__")})
