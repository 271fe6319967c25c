"""Reading the contract: `document` into plain values with their lines, `operations` of it, what `check` demands of it.

`large` makes contracts of a size to measure with. Nothing here knows of versions, of the generated client or of git.
"""
