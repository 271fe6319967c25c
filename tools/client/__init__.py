"""The generated client.

`generate` builds it and compares it with the committed one, `stubs` writes the types of its models, `unasync` makes
the sync client from the async one, and `handwritten_layer` finds operations that the handwritten client lacks. Nothing
here knows about versions.
"""
