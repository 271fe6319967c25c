"""Releases: from one version of the contract to the next, and of the package.

`released` finds the version to compare with and checks that the version number covers the changes, and
`changelog` drafts the entry. `package` checks the archives of a release. Nothing here knows about git or pull requests.
"""
