"""Every model and enum of the contract, for import from one place. What they are is up to the contract."""

import copyreg as _copyreg
from typing import TYPE_CHECKING

from scenario_uploads_client import models as _generated
from scenario_uploads_client.models import *  # noqa: F403
from scenario_uploads_client.types import Unset as _Unset

from .enums import open_enums as _open_enums

_open_enums(_generated)
# The generated `to_dict` tells what was not given by identity, which copies and pickles have to keep.
_copyreg.pickle(_Unset, lambda _unset: "UNSET")

if not TYPE_CHECKING:  # type checkers take what the star brings; they cannot read a list that is computed
    __all__ = _generated.__all__
