"""`upload_file`, step by step.

Reading order: `steps`, `options`, `ledger`, `media_types`. Decides and yields steps; the runners of `client` run them.
"""
