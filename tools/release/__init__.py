"""From one version of the contract to the next.

`released` finds what the present one is compared with, `gate` says whether its number and the changelog cover what
changed, and `changelog` drafts what is said of it. Nothing here knows of git or of pull requests.
"""
