"""What a pull request changes in the contract.

`revisions` compares with a git ref, `report` writes the result into files, and `comment` renders these as untrusted
data. Nothing here calls GitHub: the workflows do, with `gh`.
"""
