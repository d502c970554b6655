"""A client's options: read, checked, and the key kept to itself."""
