"""Reading the contract.

`document` reads it into plain values with line numbers, `operations` lists its operations, `check` checks the rules
that the client relies on, and `large` writes large contracts for measurements. Nothing here knows about versions, the
generated client or git.
"""
