"""Many files: `upload_many`. It finds them, tells which are done, and lets each go through `upload`, so many at once.

Reading order: `run`, `listing`, `ledger`, `content`, `limiter`, `progress`; `options` has what callers give and get. It
must not know who carries its steps out: threads of the sync client, or tasks of an event loop.
"""
