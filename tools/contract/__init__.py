"""Reading the contract.

`document` reads it into plain values with line numbers, `operations` lists its operations and components, and `check`
checks the rules that the client relies on. Nothing here knows about versions, the generated client or git.
"""
