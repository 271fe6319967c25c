"""Send files of any size to Scenario."""
