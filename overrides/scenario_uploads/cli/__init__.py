"""The command line and its terminal output.

Reading order: `commands` and `uploads` (the commands), `running` (exit codes, and what is said when one fails),
`options` (what is set), `connect` (a client, or one of a sandbox), `sending` and `manifest` (what is sent), `terminal`
(what is printed). Uses the public client, and below it only what it plans and lists with.
"""
