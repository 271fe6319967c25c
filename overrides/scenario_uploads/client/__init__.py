"""What users hold: the two clients, their responses, and the runners that carry out their steps.

Reading order: `async_client` (the source of `sync_client`), `async_response` (the source of `sync_response`),
`response`, `runner`, `async_runner`. It decides nothing about requests, parts or retries.
"""
