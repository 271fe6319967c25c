"""Every model and enum of the contract, in one place to import from.

Type checkers read `models.pyi` instead, which `make generate` writes.
"""

from typing import TYPE_CHECKING

from scenario_uploads_client import models as _generated
from scenario_uploads_client.models import *  # noqa: F403

from .decoding.methods import extend_models as _extend_models

_extend_models(_generated)

for _name in _generated.__all__:
    # The public name in tracebacks and pickles.
    getattr(_generated, _name).__module__ = __name__.partition(".")[0]

if not TYPE_CHECKING:  # type checkers cannot read a computed list
    __all__ = _generated.__all__
