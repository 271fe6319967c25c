"""What a pull request changes in the contract.

`revisions` compares with a git ref, `report` writes the result into files, and `comment` renders what a stranger's code
wrote there. Nothing here asks GitHub anything: the workflows do, with `gh`.
"""
