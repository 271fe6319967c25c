"""Measures of the client against what else moves bytes; see docs/benchmarks.md."""
