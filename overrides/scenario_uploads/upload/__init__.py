"""`upload_file`, step by step.

Reading order: `steps`, `prepare` (before the first request), `resume` (what an earlier call left), `options`, `ledger`,
`media_types`, `control` (pauses, turns and deadlines), `imports` (what the service fetches itself).
"""
