"""What a pull request changes in the contract: `revisions` compares with a git ref, `report` writes it into files.

`comment` renders what a stranger's code wrote, for a comment.
"""
