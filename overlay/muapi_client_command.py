"""``muapi-client``: where its process begins, so that Ctrl-C while it loads ends it quietly.

It stands beside the package: whatever is within loads the package first, which is a good part of what there is to load.

Lives here: those first moments. Does not live here: the command line (``muapi_client.cli``).
"""


def main() -> int:
    """Carry out one command; answers the exit code."""
    try:
        from muapi_client.cli import main as carry_out  # noqa: PLC0415 - what an interrupt may come into
    except KeyboardInterrupt:  # nothing was begun
        return 130  # 128 + SIGINT, as shells have it; what names it is not loaded
    return carry_out()
