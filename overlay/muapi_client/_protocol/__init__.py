"""MuAPI's protocol without I/O: what is sent, whether it may be sent again, what an answer means."""
