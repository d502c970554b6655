"""From a document to facts: read, corrected, understood, named and described, a module each, with one plan at the end.

Lives here: decisions, each a function of the document alone. Does not live here: layout (``templates``), files
written and programs run (``build``).
"""
