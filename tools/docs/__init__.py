"""The site that `make docs` builds.

`__main__` builds it, and `check` looks for what should not be in it.
"""
