"""What callers set: a client's settings, the options of one call, credentials and defaults.

Reading order: `arguments`, `client`, `request`, `credentials`, `defaults`. Sends nothing.
"""
