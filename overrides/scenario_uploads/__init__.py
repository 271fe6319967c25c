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

    _HOMES = {
        "Client": "client.sync_client",
        "Scenario": "client.sync_client",
        "Uploads": "client.sync_client",
        "AsyncClient": "client.async_client",
        "AsyncScenario": "client.async_client",
        "AsyncUploads": "client.async_client",
        "APIResponse": "client.sync_response",
        "AsyncAPIResponse": "client.async_response",
        "DEFAULT_CONNECTION_LIMITS": "settings.defaults",
        "DEFAULT_MAX_RETRIES": "retry",
        "DEFAULT_TIMEOUT": "settings.defaults",
        "DefaultAsyncHttpxClient": "settings.defaults",
        "DefaultHttpxClient": "settings.defaults",
        "Timeout": "settings.defaults",
        "AsyncUploadHandle": "client.async_runner",
        "UploadHandle": "client.runner",
        "BulkProgress": "progress",
        "UploadResult": "bulk.options",
        "UploadPhase": "progress",
        "UploadProgress": "progress",
        "is_known": "decoding.enums",
        "NOT_GIVEN": "arguments",
        "NotGiven": "arguments",
        "Omit": "arguments",
        "not_given": "arguments",
        "omit": "arguments",
    }
    _SUBMODULES = ("errors", "models")
    _ROOMS = (*_SUBMODULES, "types")

    def __getattr__(name):
        if name == "UploadSource":
            # The contract's enum of this name also makes sources for `upload_many`.
            _load("bulk.options")
        if name == "__all__":
            return sorted({*_HOMES, *(name for home in _SUBMODULES for name in _load(home).__all__)})
        if name == "__version__":
            return _load("system").find_version()
        if name in _ROOMS:
            return _load(name)
        if not name.startswith("_"):
            for home in (_HOMES[name],) if name in _HOMES else _SUBMODULES:
                module = _load(home)
                if name in _HOMES or name in module.__all__:
                    value = globals()[name] = getattr(module, name)
                    return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def _load(home):
        return _import_module(f".{home}", __name__)

    def __dir__():
        return sorted({name for name in globals() if name.startswith("__")} | {"__version__", *__getattr__("__all__")})
