"""Holding the contract against the service itself, for `make live-check`.

`run` sends a few requests and keeps each response as it came, `compare` finds where the responses differ from
openapi.yaml, and `report` writes that down without an id or a secret. Nothing here knows of versions, of the generated
client or of git; of the handwritten client it uses what users import.
"""
