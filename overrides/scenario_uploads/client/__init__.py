"""The two clients, their responses, and the runners that do the waiting and sending.

Reading order: `async_client` (the source of `sync_client`), `async_operations` (generated from the contract),
`async_response` (the source of `sync_response`), `response`, `runner`, `async_runner`, `async_workers` (many files).
Decides nothing about requests, parts or retries.
"""
