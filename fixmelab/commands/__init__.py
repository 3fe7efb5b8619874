"""What the commands of `fixmelab` do, one module each."""
