"""The site that `make docs` builds.

`__main__` builds it, `check` looks for what should not be in it, `pictures` draws what is committed in docs/pictures.
"""
