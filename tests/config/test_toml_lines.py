"""On which line a key stands."""

import pytest

from pointsman.config.toml_lines import Path, key_lines, line_of

TEXT = '''\
top = 1
"quoted key" = 2
a.b = 3

[table] # said
x = """
y = 1
[not.a.table]
"""
z = [
  "]", # ]
  1,
]
after = {in = 1}

[[many]]
n = 1
[[many]]
n = 2
[many.inner]
deep = true
[[many.inner2]]
k = '[['
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 1),
        (("quoted key",), 2),
        (("a", "b"), 3),
        (("table",), 5),
        (("table", "x"), 6),
        (("table", "z"), 10),
        (("table", "after"), 14),
        (("table", "after", "in"), 14),
        (("many", 0, "n"), 17),
        (("many", 1), 18),
        (("many", 1, "n"), 19),
        (("many", 1, "inner", "deep"), 21),
        (("many", 1, "inner2", 0, "k"), 23),
        (("many", 1, "missing"), 18),
        (("nowhere",), 1),
    ],
)
def test_lines(path: Path, line: int) -> None:
    assert line_of(key_lines(TEXT), path) == line


def test_what_stands_in_a_text_is_no_key() -> None:
    lines = key_lines(TEXT)
    assert ("table", "y") not in lines
    assert ("not", "a", "table") not in lines
