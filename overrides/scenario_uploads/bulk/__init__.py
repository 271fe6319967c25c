"""Many files: `upload_many`. Lists the files, skips finished ones and sends the others concurrently through `upload`.

Reading order: `run`, `plan`, `listing`, `ledger`, `workers` (the threads that run the steps), `executor` (workers
elsewhere), `limiter`, `options` (arguments and results). A runner from `client` does the sending.
"""
