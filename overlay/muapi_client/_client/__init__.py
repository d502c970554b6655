"""What a user calls: the two clients, and which flow each of their methods is."""
