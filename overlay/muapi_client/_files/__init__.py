"""Uploads and downloads without the network: what is sent, where to, how much, and under which name it is saved."""
