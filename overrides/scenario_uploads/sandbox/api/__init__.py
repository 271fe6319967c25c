"""The three endpoints of the uploads API, and what happens to an upload after `complete`.

Read `service` (the endpoints), `wire` (credentials, bodies, errors), `contract` (what fits `openapi.yaml`), `rules`
(what the service asks for beyond it), `importer` (after `complete`), `fetch` (imports from this machine), `magic`
(whether bytes are what they claim to be).
"""
