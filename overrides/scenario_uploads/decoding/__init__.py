"""JSON to generated models, tolerant of surprises; a caller's arguments to request models.

Reading order: `codec`, `enums`, `methods`. Must not know who sends or receives the JSON.
"""
