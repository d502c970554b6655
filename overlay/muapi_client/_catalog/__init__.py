"""Searching the catalogue: a question in a user's words, and the models that answer it best.

Rule 1: it works on what ``catalog.json`` of a generated package holds, as plain data, and knows no class of ours.
Rule 2: what people call things is data (``words``), with a reason a line; nothing is tuned to one question.

Lives here: the index, the ranking, the meanings of inputs. Does not live here: what a user calls (``catalog``).
"""
