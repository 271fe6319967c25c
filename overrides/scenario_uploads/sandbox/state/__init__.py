"""What a sandbox remembers, safe to use from any thread: `records`, the uploads as they stand."""
