"""One paid request: submitting it, the limit of spend, the journal, waiting for its end, finding it again."""
