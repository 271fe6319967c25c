"""What development needs: `setup` makes .venv and node_modules what the lock files say, `tidy_lock` tidies npm's."""
