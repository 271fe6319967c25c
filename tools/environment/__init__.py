"""Creating .venv and node_modules from the lock files, on a bare Python: `setup` uses the standard library alone."""
