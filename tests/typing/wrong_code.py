"""Mistakes that a type checker has to find. It is never run.

Each line carries the comment that silences its error. Both checkers complain about a comment that silences nothing,
so this file fails as soon as one of the mistakes would pass.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=error

from scenario_uploads import APIError, AsyncScenario, Scenario, Upload, UploadKind, is_known


def call_wrongly(client: Scenario) -> None:
    """Arguments that no call takes."""
    Scenario("key", "secret")  # type: ignore[call-arg]
    Scenario(api_key=1)  # type: ignore[arg-type]
    Scenario(token="token")  # type: ignore[call-arg]
    client.uploads.create("dragon.glb")  # type: ignore[call-overload]
    client.uploads.create(filename="dragon.glb")  # type: ignore[call-overload]
    client.uploads.create(file_size="9")  # type: ignore[call-overload]
    client.uploads.create(kind=3)  # type: ignore[call-overload]
    client.uploads.retrieve()  # type: ignore[call-arg]
    client.uploads.retrieve(1)  # type: ignore[arg-type]
    client.uploads.trigger_action("upload_id")  # type: ignore[call-arg]
    client.uploads.upload_file(1)  # type: ignore[arg-type]
    client.uploads.upload_file("dragon.glb", "3d")  # type: ignore[call-arg]
    client.uploads.upload_file("dragon.glb", on_progress=lambda: None)  # type: ignore[arg-type, misc]
    client.uploads.list()  # type: ignore[attr-defined]
    client.uploads.retrieve("upload_id", extra_headers={"X": 1})  # type: ignore[dict-item]
    client.uploads.retrieve("upload_id", timeout="5")  # type: ignore[arg-type]
    client.uploads.with_raw_response.retrieve(5)  # type: ignore[arg-type]
    client.uploads.with_streaming_response.retrieve("upload_id").parse()  # type: ignore[attr-defined]
    client.with_options(retries=1)  # type: ignore[call-arg]
    client.uploads.wait(None)  # type: ignore[arg-type]


def read_wrongly(client: Scenario) -> str:
    """What an answer does not hold, or not for sure."""
    upload = client.uploads.retrieve("upload_id").upload
    print(upload.entity)  # type: ignore[attr-defined]
    upload.kind = UploadKind.VIDEOS  # type: ignore[attr-defined]
    print(client.uploads.retrieve("upload_id").status)  # type: ignore[attr-defined]
    return upload.entity_id  # type: ignore[return-value]


def mix_up(client: Scenario, error: APIError) -> None:
    """One thing for another."""
    with AsyncScenario():  # type: ignore[attr-defined]
        pass
    is_known("3d")  # type: ignore[arg-type]
    print(error.status_code)  # type: ignore[attr-defined]
    print(client.uploads.wait("upload_id").upload)  # type: ignore[attr-defined]


async def forget_to_await(client: AsyncScenario) -> Upload:
    """An awaitable is no answer."""
    return client.uploads.upload_file("dragon.glb")  # type: ignore[return-value]
