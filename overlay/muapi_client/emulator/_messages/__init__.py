"""What comes in and what goes out, as values, and the forms inside: money, times, addresses, forms.

Lives here: what every other room speaks. Does not live here: anything that knows the document (``_spec``) or remembers
something (``_state``).
"""
