"""What development needs.

`setup` creates .venv and node_modules from the lock files, and `tidy_lock` removes addresses from npm's. Both use
only the standard library.
"""
