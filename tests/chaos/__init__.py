"""The seeded chaos run: uploads by the hundred through a service that misbehaves at random; see `__main__`."""
