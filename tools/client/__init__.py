"""The generated client: `generate` builds it, `stubs` tells type checkers of its models.

`handwritten_layer` finds what the client can say and the layer above it does not yet.
"""
