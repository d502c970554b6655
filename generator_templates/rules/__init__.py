"""From a document to facts: what is read, corrected, understood, named and said; a module each, one plan at the end.

Lives here: decisions, each a function of the document alone. Does not live here: layout (``templates``), files
written and programs run (``build``).
"""
