"""The command line and its terminal output.

Reading order: `commands` and `uploads` (the commands), `running` (exit codes and error messages),
`options` (settings), `connect` (the client, or a sandbox), `sending` and `manifest` (the files), `terminal` (output).
Uses the public client, and below it only what plans and lists uploads.
"""
