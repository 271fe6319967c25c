"""One call to the API: the request, the attempts, the response, the errors.

Reading order: `calls` (what is called, and waiting for an upload), `exchange` (the request and its attempts),
`responses` (reading, decoding, errors), `network` (the HTTP clients). Must not know `transfer`: storage has connections
of its own.
"""
