"""What a pull request changes in the contract.

`report` writes it into files, and `comment` renders these as untrusted data. Nothing here calls GitHub: the workflows
do, with `gh`.
"""
