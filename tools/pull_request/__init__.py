"""What a pull request changes in the contract: `revisions` reads the contract at a git ref, `report` writes files.

`comment` says it on the pull request.
"""
