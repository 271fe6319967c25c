# Generated from openapi.yaml by openapi-python-client 0.29.1.
# Do not edit: change openapi.yaml and run `make generate`.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

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
    creative_units_discount: float | None | Unset = UNSET
    """ The discount in creative units. """
    cost_details: None | Unset | UploadDryRunResponseCostDetails = UNSET
    """ How the cost comes about. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.upload_dry_run_response_cost_details import (
            UploadDryRunResponseCostDetails,  # noqa: PLC0415
        )

        creative_units_cost = self.creative_units_cost

        creative_units_discount: float | None | Unset
        if isinstance(self.creative_units_discount, Unset):
            creative_units_discount = UNSET
        else:
            creative_units_discount = self.creative_units_discount

        cost_details: dict[str, Any] | None | Unset
        if isinstance(self.cost_details, Unset):
            cost_details = UNSET
        elif isinstance(self.cost_details, UploadDryRunResponseCostDetails):
            cost_details = self.cost_details.to_dict()
        else:
            cost_details = self.cost_details

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "creativeUnitsCost": creative_units_cost,
            }
        )
        if creative_units_discount is not UNSET:
            field_dict["creativeUnitsDiscount"] = creative_units_discount
        if cost_details is not UNSET:
            field_dict["costDetails"] = cost_details

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.upload_dry_run_response_cost_details import (
            UploadDryRunResponseCostDetails,  # noqa: PLC0415
        )

        d = dict(src_dict)
        creative_units_cost = d.pop("creativeUnitsCost")

        def _parse_creative_units_discount(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        creative_units_discount = _parse_creative_units_discount(
            d.pop("creativeUnitsDiscount", UNSET)
        )

        def _parse_cost_details(
            data: object,
        ) -> None | Unset | UploadDryRunResponseCostDetails:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                cost_details_type_0 = UploadDryRunResponseCostDetails.from_dict(data)

                return cost_details_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Unset | UploadDryRunResponseCostDetails, data)

        cost_details = _parse_cost_details(d.pop("costDetails", UNSET))

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
