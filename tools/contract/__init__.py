"""Reading the contract.

`document` reads it into plain values with their lines, `operations` lists what it offers, `check` holds it to what the
client relies on, and `large` writes contracts to measure with. Nothing here knows of versions, of the generated client
or of git.
"""
