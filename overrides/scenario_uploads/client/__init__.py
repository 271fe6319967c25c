"""The two clients, their responses, and the runners that do the waiting and sending.

Reading order: `template` (the source of both clients), `async_operations` (generated from the contract),
`async_response` (the source of `sync_response`), `runner`, `async_runner`.
Decides nothing about requests, parts or retries.
"""
