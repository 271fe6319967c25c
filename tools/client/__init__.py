"""The generated client.

`generate` builds it and checks that the committed one is what the contract gives, `stubs` tells type checkers of its
models, and `handwritten_layer` finds what it can say and the layer above it does not yet. Nothing here knows of
versions.
"""
