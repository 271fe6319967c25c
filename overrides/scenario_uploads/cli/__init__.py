"""The command line and its terminal output.

Reading order: `commands`, `options` (and settings), `running` (how commands run), `connect` (the client, or a sandbox),
`sending` and `manifest` (the files), `terminal` (output and exit codes).
"""
