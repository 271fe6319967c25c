"""`upload_file`, step by step.

Reading order: `steps`, `options`, `ledger`, `media_types`. It decides and yields what is to be done; the runners of
`client` do it.
"""
