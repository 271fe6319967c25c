"""One call to the API: the request, the attempts, the response, the errors.

Reading order: `calls`, `exchange` (the request and its attempts), `responses` (reading, decoding, errors),
`async_http` (the HTTP client), `network` (what that adds to HTTPX). Must not know `transfer`.
"""
