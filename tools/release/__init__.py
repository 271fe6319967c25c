"""Releases: from one version of the contract to the next.

`released` finds the contract to compare with and checks that the version number covers the changes, and `changelog`
drafts the entry; a review says what an edit leaves to do. Nothing here knows about pull requests.
"""
