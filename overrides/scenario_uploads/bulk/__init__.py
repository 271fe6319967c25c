"""Many files: `upload_many`. Finds the files, knows which are done, and sends the others through `upload` at once.

Reading order: `run`, `listing`, `ledger`, `executor`, `limiter`, `progress`; `options` has what callers give and get.
Must not know what runs its steps: threads or an event loop.
"""
