"""What a sandbox remembers, safe to use from any thread. It knows nothing of HTTP.

Read `records` (the uploads as they stand), `faults` (what the next ones shall meet), `journal` (the requests that made
them, without secrets).
"""
