"""The parts of a file on their way to storage.

Reading order: `engine` (the workers), `part` (one part and its retries), `pool` and `connection` (the sockets),
`tunnel` (how a connection comes about), `source` (the bytes), `parts` (how a file is cut), `pace` (how many at once),
`progress` (what callers are told). It must not know `settings`, `decoding` or `models`: storage never sees a
credential.
"""
