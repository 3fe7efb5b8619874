"""What is embedded: small files that travel inside the students' package as `fixmelab.embedded`."""
