"""What callers set: a client's settings, what one call adds, credentials and defaults.

Reading order: `client`, `request`, `credentials`, `defaults`. It sends nothing.
"""
