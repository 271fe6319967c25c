"""What Python callers see of a change of the contract.

callers      puts it beside the changes of the wire that it comes from, or makes it changes of its own
surface      reads what a client offers: enums, models, operations, as the generator sees them before it writes
differences  compares two of these
"""
