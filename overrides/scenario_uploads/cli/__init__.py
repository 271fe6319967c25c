"""The command line and its terminal output.

Reading order: `commands`, `terminal`. Uses the public client only.
"""
