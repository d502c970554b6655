"""The diff: what changed between two documents, and what each change does to users of this client."""
