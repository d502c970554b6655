"""``muapi-client spec``: one module an action."""
