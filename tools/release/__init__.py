"""From one version of the contract to the next: `released` finds what the present one is compared with.

`gate` says whether its number and the changelog cover what changed, `changelog` drafts what is said of it.
"""
