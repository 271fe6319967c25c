"""Many files: `upload_many`. Finds the files, knows which are done, and sends the others through `upload` at once.

Reading order: `run`, `plan`, `listing`, `ledger`, `workers` (the threads that carry the steps out), `executor` (workers
elsewhere), `limiter`; `options` has what callers give and get. It is given what sends: a runner.
"""
