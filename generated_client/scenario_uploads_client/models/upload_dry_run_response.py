# Generated from openapi.yaml by openapi-python-client 0.29.1.
# Do not edit: change openapi.yaml and run `make generate`.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.upload_dry_run_response_cost_details import (
        UploadDryRunResponseCostDetails,
    )


T = TypeVar("T", bound="UploadDryRunResponse")


@_attrs_define
class UploadDryRunResponse:
    """What an upload would cost."""

    creative_units_cost: float
    """ The cost in creative units, the discount taken off. """
    creative_units_discount: float
    """ The discount in creative units. """
    cost_details: UploadDryRunResponseCostDetails
    """ How the cost comes about. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        creative_units_cost = self.creative_units_cost

        creative_units_discount = self.creative_units_discount

        cost_details = self.cost_details.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "creativeUnitsCost": creative_units_cost,
                "creativeUnitsDiscount": creative_units_discount,
                "costDetails": cost_details,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.upload_dry_run_response_cost_details import (
            UploadDryRunResponseCostDetails,  # noqa: PLC0415
        )

        d = dict(src_dict)
        creative_units_cost = d.pop("creativeUnitsCost")

        creative_units_discount = d.pop("creativeUnitsDiscount")

        cost_details = UploadDryRunResponseCostDetails.from_dict(d.pop("costDetails"))

        upload_dry_run_response = cls(
            creative_units_cost=creative_units_cost,
            creative_units_discount=creative_units_discount,
            cost_details=cost_details,
        )

        upload_dry_run_response.additional_properties = d
        return upload_dry_run_response

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
