"""What notebooks show of values: HTML made of their facts, and nothing else.

Rule 1: nothing is fetched, neither by what makes it nor by a browser that shows it, until its user calls ``show()``.
Rule 2: every text is foreign: it is escaped by construction (``markup``), links lead to http and https alone, and no
secret is among the facts.
Rule 3: it is small however large a value is.

The values stand in rooms above, which hand themselves in; this room imports none of them.
"""
