"""From one version of the contract to the next: `released` finds what the present one is compared with.

`changelog_entry` drafts what is said of it, `check_version` is the gate, `release_contract` records it as released.
"""
