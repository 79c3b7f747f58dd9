"""The process that ends the language servers when their daemon is gone, however it went.

It reads lines on its stdin: ``+N`` for a process group to look after, ``-N`` for one that has
ended. The end of its stdin is the end of the daemon, killed or not: what is left is killed. It
is a file that needs nothing but the interpreter, started with ``-I -S``.
"""

import os
import signal
import sys


def main() -> None:
    """Remember groups until stdin ends, then kill them."""
    # Ours to outlive: what ends the daemon (Ctrl-C, a closed terminal) must not end this first.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        number = int(line[1:])
        if line.startswith("+"):
            groups.add(number)
        else:
            groups.discard(number)
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except OSError:  # Gone already.
            continue


if __name__ == "__main__":
    main()
