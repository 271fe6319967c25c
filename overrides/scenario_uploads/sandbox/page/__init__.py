"""The page of the sandbox, in a browser on the same machine: its uploads, their faults, the contract.

Read `app` (the routes), `guard` (who may read, and who may change something), `stream` (what changes, as it comes),
`views` (what is shown of an upload), `snippets` (calls as Python and as curl), `reference` (the contract). It must not
change an upload, and shows no secret.
"""
