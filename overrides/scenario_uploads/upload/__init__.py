"""`upload_file`, step by step.

Reading order: `steps`, `prepare` (before the first request), `resume` (what an earlier call left), `options`, `ledger`,
`media_types`, `background` (handles and deadlines). Decides and yields steps; the runners of `client` run them.
"""
