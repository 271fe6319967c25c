"""What development needs: `setup` makes .venv and node_modules what the lock files say, `tidy_lock` tidies one.

`audit` asks which locked packages are known to be vulnerable.
"""
