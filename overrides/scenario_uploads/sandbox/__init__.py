"""A local service that speaks the Scenario uploads API, to develop and to test without an account.

```python
from scenario_uploads import Scenario
from scenario_uploads.sandbox import Sandbox

with Sandbox() as box:
    client = Scenario(base_url=box.base_url, api_key=box.api_key, api_secret=box.api_secret)
    upload = client.uploads.upload_file("dragon.glb")
    assert box.sha256(upload.id) == sha256_of("dragon.glb")
```

What is real: every request and every answer is validated against `openapi.yaml` itself; parts go to presigned S3 URLs
whose signature and expiry are checked; `complete` applies S3's rules on parts; the first bytes of the file are compared
with what it claims to be.

What pretends: nothing is turned into an asset or a model, an entity id is made up; an import from a URL, Hugging Face
or Civitai fetches nothing and always succeeds. Records live in memory and end with the sandbox; of the finished ones
only the newest 100,000 are kept.

From top to bottom: `box` (the class `Sandbox`) · `api/` (the three endpoints) · `storage/` (S3) · `state/` (what is
remembered) · `server` (threads and sockets) · `options` · `errors`. Nothing here imports the client, so that the two
cannot share a bug.
"""

try:
    from scenario_uploads.sandbox.box import Sandbox
    from scenario_uploads.sandbox.errors import SandboxError
except ModuleNotFoundError as missing:
    if (missing.name or "").startswith("scenario_uploads"):
        raise
    package = (missing.name or "").partition(".")[0]
    raise ImportError(
        f"the sandbox needs the package {package!r}; install it: in the checkout, pip install '.[sandbox]'"
    ) from missing

__all__ = ["Sandbox", "SandboxError"]
