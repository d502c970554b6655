"""From facts to a package in its place: run the generator, check what it wrote, swap it in, record what it was made of.

Lives here: files and programs. Does not live here: what a package says (``rules``), how it is laid out (``templates``).
"""
