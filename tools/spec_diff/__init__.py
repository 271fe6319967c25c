"""Compare two versions of the contract: what changed, whom it breaks, and which version it asks for.

    python -m tools.spec_diff OLD.yaml NEW.yaml [--format text|markdown|json|github] [--fail-on breaking|bump|none]

The way of the data, each step in a module that knows none of the later ones:

    document   reads a file into values with lines, within bounds, running nothing of it
    redocly    asks Redocly CLI which places differ: its facts, never its verdicts
    schemas    says exactly how two schemas differ, whatever the way they are written
    wire       walks both contracts operation by operation, and leaves nothing that Redocly saw unexplained
    policy     levels by spec-diff-policy.yaml, breaks accepted by spec-diff-allow.yaml, the version bump
    report     text, Markdown, JSON and annotations
"""
