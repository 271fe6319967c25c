"""What development needs.

`setup` makes .venv and node_modules what the lock files say, and `tidy_lock` tidies npm's. Both use the standard
library alone.
"""
