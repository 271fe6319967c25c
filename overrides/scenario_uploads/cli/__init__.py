"""The command line, and what a terminal shows of it.

Reading order: `commands`, `terminal`. It uses the public client alone.
"""
