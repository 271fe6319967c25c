"""What callers set: a client's settings, the options of one call, credentials and defaults.

Reading order: `client`, `request`, `credentials`, `defaults`. Sends nothing.
"""
