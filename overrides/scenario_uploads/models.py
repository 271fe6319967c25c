"""Every model and enum of the contract, for import from one place. What they are is up to the contract."""

from scenario_uploads_client import models as _generated
from scenario_uploads_client.models import *  # noqa: F403

from .enums import open_enums

open_enums(_generated)

__all__: list[str] = []
__all__ += _generated.__all__
