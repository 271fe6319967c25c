"""What Python callers see of a change of the contract.

callers      puts it beside the changes of the wire, or makes it changes of its own
clients      generates both clients aside, from excerpts of large contracts (`excerpt`)
surface      reads what a client offers: enums, models, operations
differences  compares two of these
causes       finds the changes of the wire that a difference comes from
"""
