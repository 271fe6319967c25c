"""A short run of the fuzz targets, and what longer runs (`make fuzz`) have found."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scenario_uploads import BadRequestError, InvalidArgumentError

from tests.fuzz.targets import TARGETS
from tests.support.clients import Connect, raises
from tests.support.server import reply
from tests.support.service import UPLOAD_ID, Service


@pytest.mark.parametrize("name", TARGETS)
def test_odd_inputs_come_to_nothing_undocumented(name: str) -> None:
    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def run(data: st.DataObject) -> None:
        TARGETS[name](data)

    run()


def test_a_refusal_with_letters_beyond_ascii_in_its_head_is_told(connect: Connect, service: Service) -> None:
    service.script("retrieve", reply(400, {"reason": "no"}, {"X-Grund": "n\xe4chstes Mal"}))
    with raises(BadRequestError, "no") as caught:
        connect(service.url).uploads.retrieve(UPLOAD_ID)
    assert caught.error.response.headers["x-grund"] == "n\xe4chstes Mal"


def test_an_argument_that_is_called_like_a_line_end_is_one_line(connect: Connect, service: Service) -> None:
    with raises(InvalidArgumentError, "is unknown") as caught:
        connect(service.url).uploads.create(asset_options={"a\u2028b": 1})
    assert len(caught.error.message.splitlines()) == 1
