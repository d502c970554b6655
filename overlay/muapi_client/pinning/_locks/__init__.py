"""The locks: what a program was written against, and how the document of today differs from it.

Lives here: a user's lock, pinning another document, drift from the pin, the changelog of the pin. Does not live here:
the pin's own lock (``_document/lock``), files and git (``__main__``).
"""
