r"""Words that go on behind a backslash at a line's end, put together as the shell does.

The grammar takes the two characters for a space, so that ``r\`` and ``m`` would be two words. What
may be no continuation is left as it is: in a comment, and where a here-document may end.
"""

import re

_COMMENT = re.compile(r"(?:^|[\s;&|()`])#")


def joined(command: str) -> str:
    """Return a command with the words in one piece that lines were broken in."""
    if "\\\n" not in command or "<<" in command:
        return command
    first, *lines = command.split("\n")
    done, parts, last = [], [first], first
    for line in lines:
        if _goes_on(last, line):
            parts[-1] = parts[-1][:-1]
            parts.append(line)
        else:
            done.append("".join(parts))
            parts = [line]
        last = line
    return "\n".join((*done, "".join(parts)))


def _goes_on(line: str, following: str) -> bool:
    """Whether a word of this line is gone on with in the following one."""
    bare = line.rstrip("\\")
    odd = (len(line) - len(bare)) % 2 == 1
    # A space on either side ends the word: the grammar has that right.
    if not odd or not following or following[0].isspace() or line[-2:-1].isspace():
        return False
    # The line stands alone here: what it goes on from was joined already, and had no comment.
    return _COMMENT.search(line) is None
