"""Which kind of key answers: the evidence there is, finding it, asking for it, acting on it."""
