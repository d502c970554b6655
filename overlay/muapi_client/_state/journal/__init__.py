"""The journal of paid jobs: what is written (``base``) and read (``reading``) of one, and where it is kept.

A place is a ``store``: a SQLite file (``file``), or a PostgreSQL database (``server``). Who opens one is ``sqlite`` or
``postgres``, and both say the same ``statements`` about the same ``values``.
"""
