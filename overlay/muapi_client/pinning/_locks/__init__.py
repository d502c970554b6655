"""The locks: what a program was written against, and how the document of today compares with it."""
