"""What a client remembers: money, its key, its jobs, its uploads; and the context every flow goes by."""
