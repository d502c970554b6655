"""The journal of paid jobs: what is written and read of one (``base``), and the two places where it is kept.

A place is a ``store``: a SQLite file (``file``), or a PostgreSQL database (``server``). Who opens one is ``sqlite`` or
``postgres``, and both say the same ``statements`` about the same ``values``.
"""
