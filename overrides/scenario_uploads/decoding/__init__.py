"""JSON to the generated models, tolerant of what a service may send, and a caller's arguments to request models.

Reading order: `codec`, `fields`, `decoders`, `enums`, `methods`. It must not know who sends or receives the JSON.
"""
