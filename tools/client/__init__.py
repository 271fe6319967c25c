"""The generated client.

`generate` builds it and compares it with the committed one, `stubs` writes the types of its models, `operations` the
methods that the client inherits, `spelling` the async client with its arguments spelt out, and `unasync` makes the sync
client from the async one.
`handwritten_layer` finds what is to be written by hand. Nothing here knows about versions.
"""
