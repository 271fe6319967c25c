"""Sending the parts of a file to storage.

Reading order: `engine` (the workers), `part` (one part and its retries), `connection` (a PUT), `sockets` (connecting,
proxies, TLS), `source` (the bytes), `parts` (how a file is split). Must not import `settings`, `decoding` or `models`:
storage never sees a credential.
"""
