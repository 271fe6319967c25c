"""Odd inputs for whatever reads what strangers send: `make fuzz`, and a short run of it in the tests."""
