"""The command line and its terminal output.

Reading order: `commands`, `options` (and settings), `connect` (the client, or a sandbox),
`sources` (what to upload), `terminal` (output, errors and exit codes).
"""
