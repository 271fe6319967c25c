"""Compare two versions of the contract: what changed, whom it breaks, and which version it asks for.

The way of the data, each step in a module that knows none of the later ones:

    redocly    asks Redocly CLI which places differ: its facts, never its verdicts
    wire       walks both contracts operation by operation, and leaves nothing that Redocly saw unexplained
    policy     levels and what becomes of installed clients by spec-diff-policy.yaml, accepted breaks, the version bump
    python     what Python callers see, from clients that are generated aside
    report     text, Markdown, JSON and annotations
"""
