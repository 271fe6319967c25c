"""One call to the API: the request, the attempts, the response, the errors.

Reading order: `calls` (what is called, and waiting for an upload), `exchange` (the request and its attempts),
`responses` (reading, decoding, errors), `async_http` (the HTTP client, the source of `sync_http`), `network` (what that
adds to HTTPX). Must not know `transfer`: storage has connections of its own.
"""
