"""Webhooks: what is posted where and when, and what came of it.

Lives here: the queue and its tries. Does not live here: posting over a network (``_http/webhook_sender``).
"""
