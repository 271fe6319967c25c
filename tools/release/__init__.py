"""From one version of the contract to the next.

`package` holds the archives against the version and the changelog of the package. `released` finds the version to compare with, `gate` checks that version number and changelog cover the changes, and
`changelog` drafts the entry. Nothing here knows about git or pull requests.
"""
