"""Send files of any size to Scenario.

    from scenario_uploads import Scenario

    with Scenario() as client:
        upload = client.uploads.upload_file("dragon.glb")
        print(upload.entity_id)

Names are loaded when they are first used, so that importing the package costs a program nearly nothing.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # No `__all__` here: to type checkers a star exports what it brings, but only where no list says otherwise.
    from . import types as types
    from .async_client import AsyncClient as AsyncClient
    from .async_client import AsyncScenario as AsyncScenario
    from .async_client import AsyncUploads as AsyncUploads
    from .client import Client as Client
    from .client import Scenario as Scenario
    from .client import Uploads as Uploads
    from .defaults import DEFAULT_CONNECTION_LIMITS as DEFAULT_CONNECTION_LIMITS
    from .defaults import DEFAULT_MAX_RETRIES as DEFAULT_MAX_RETRIES
    from .defaults import DEFAULT_TIMEOUT as DEFAULT_TIMEOUT
    from .defaults import DefaultAsyncHttpxClient as DefaultAsyncHttpxClient
    from .defaults import DefaultHttpxClient as DefaultHttpxClient
    from .defaults import Timeout as Timeout
    from .enums import is_known as is_known
    from .errors import *  # noqa: F403
    from .given import NOT_GIVEN as NOT_GIVEN
    from .given import NotGiven as NotGiven
    from .given import Omit as Omit
    from .given import not_given as not_given
    from .given import omit as omit
    from .models import *  # noqa: F403
    from .responses import APIResponse as APIResponse
    from .responses import AsyncAPIResponse as AsyncAPIResponse
    from .upload_options import UploadPhase as UploadPhase
    from .upload_options import UploadProgress as UploadProgress

    __version__: str
else:
    from importlib import import_module as _import_module

    _HOMES = {
        "Client": "client",
        "Scenario": "client",
        "Uploads": "client",
        "AsyncClient": "async_client",
        "AsyncScenario": "async_client",
        "AsyncUploads": "async_client",
        "APIResponse": "responses",
        "AsyncAPIResponse": "responses",
        "DEFAULT_CONNECTION_LIMITS": "defaults",
        "DEFAULT_MAX_RETRIES": "defaults",
        "DEFAULT_TIMEOUT": "defaults",
        "DefaultAsyncHttpxClient": "defaults",
        "DefaultHttpxClient": "defaults",
        "Timeout": "defaults",
        "UploadPhase": "upload_options",
        "UploadProgress": "upload_options",
        "is_known": "enums",
        "NOT_GIVEN": "given",
        "NotGiven": "given",
        "Omit": "given",
        "not_given": "given",
        "omit": "given",
    }
    _SUBMODULES = ("errors", "models")
    _ROOMS = (*_SUBMODULES, "types")

    def __getattr__(name):
        if name == "__all__":
            return sorted({*_HOMES, *(name for home in _SUBMODULES for name in _load(home).__all__)})
        if name == "__version__":
            from importlib.metadata import version  # noqa: PLC0415 - slow, and rarely asked for

            return version("scenario-uploads")
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
        return sorted({*globals(), *__getattr__("__all__")})
