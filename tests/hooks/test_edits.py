from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.hooks.edits import FILE_TOOLS, edited_paths
from pointsman.model.errors import PayloadError
from pointsman.model.policy import McpWriter

_OWN = (
    McpWriter(tool="mcp__own__*", paths=("where",)),
    McpWriter(tool="mcp__many__write", paths=("files",)),
)


@pytest.mark.parametrize(
    ("tool", "given", "paths"),
    [
        ("Write", {"file_path": "a", "content": "x"}, ("a",)),
        ("Edit", {"file_path": "/a", "old_string": "", "new_string": ""}, ("/a",)),
        ("NotebookEdit", {"notebook_path": "n.ipynb"}, ("n.ipynb",)),
        ("MultiEdit", {"file_path": "a", "edits": [{"old_string": "x"}]}, ("a",)),
        ("MultiEdit", {"file_path": "a", "edits": [{"file_path": "b"}]}, ("a", "b")),
        ("MultiEdit", {"edits": [{"file_path": "a"}, {"file_path": "b"}]}, ("a", "b")),
        ("mcp__filesystem__write_file", {"path": "a"}, ("a",)),
        ("mcp__filesystem__edit_file", {"path": "a", "edits": [{"oldText": "x"}]}, ("a",)),
        ("mcp__filesystem__move_file", {"source": "a", "destination": "b"}, ("a", "b")),
        ("mcp__filesystem__create_directory", {"path": "d"}, ("d",)),
        ("mcp__filesystem__delete_file", {"path": "a"}, ("a",)),
        ("mcp__my-filesystem__write_files", {"files": [{"path": "a"}, {"path": "b"}]}, ("a", "b")),
        ("mcp__fs__remove", {"paths": ["a", "b"]}, ("a", "b")),
        ("mcp__fs__save", {"uri": "file:///srv/a%20b"}, ("/srv/a b",)),
        ("mcp__serena__create_text_file", {"relative_path": "a"}, ("a",)),
        ("mcp__own__put", {"where": "a"}, ("a",)),
        ("mcp__own__put", {"where": ["a", "b"]}, ("a", "b")),
        ("mcp__many__write", {"files": [{"path": "a"}, "b"]}, ("a", "b")),
    ],
)
def test_the_files_of_a_call_are_found(
    tool: str, given: dict[str, Any], paths: tuple[str, ...]
) -> None:
    assert edited_paths(tool, given, _OWN) == paths


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("Read", {"file_path": "a"}),
        ("Bash", {"command": "rm a"}),
        ("mcp__filesystem__read_file", {"path": "a"}),
        ("mcp__filesystem__list_directory", {"path": "a"}),
        ("mcp__github__create_or_update_file", {"path": "a"}),
        ("mcp__rig__echo", {"text": "a"}),
        ("write", {"file_path": "a"}),
    ],
)
def test_other_tools_edit_no_files(tool: str, given: dict[str, Any]) -> None:
    assert edited_paths(tool, given, _OWN) is None


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("Write", {}),
        ("Write", {"path": "a"}),
        ("Write", {"file_path": ""}),
        ("Write", {"file_path": None}),
        ("Write", {"file_path": ["a"]}),
        ("Write", {"file_path": {"path": "a"}}),
        ("Edit", {"file_path": 7}),
        ("NotebookEdit", {"file_path": "a"}),
        ("MultiEdit", {"edits": [{"old_string": "x"}]}),
        ("MultiEdit", {"file_path": "a", "edits": [{"file_path": 7}]}),
        ("mcp__filesystem__move_file", {"source": "a"}),
        ("mcp__filesystem__write_file", {"path": []}),
        ("mcp__filesystem__write_file", {"content": "x"}),
        ("mcp__fs__delete", {"id": 7}),
        ("mcp__own__put", {"path": "a"}),
        ("mcp__fs__remove", {"paths": [f"f{number}" for number in range(5000)]}),
    ],
)
def test_an_edit_that_names_no_file_is_an_error_not_a_pass(
    tool: str, given: dict[str, Any]
) -> None:
    with pytest.raises(PayloadError, match=tool):
        edited_paths(tool, given, _OWN)


def test_a_declaration_hides_no_path_of_another() -> None:
    loose = McpWriter(tool="mcp__filesystem__*", paths=("content",))
    given = {"path": "secret", "content": "harmless"}
    assert edited_paths("mcp__filesystem__write_file", given, (loose,)) == ("harmless", "secret")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["path", "files", "edits", "file_path"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(
    tool=st.sampled_from(
        [*FILE_TOOLS, "mcp__filesystem__move_file", "mcp__own__x", "mcp__fs__edit"]
    ),
    given_=st.dictionaries(
        st.sampled_from(
            ["file_path", "notebook_path", "path", "paths", "edits", "source", "where"]
        ),
        _VALUES,
    ),
)
def test_no_input_slips_by_unjudged(tool: str, given_: dict[str, Any]) -> None:
    try:
        paths = edited_paths(tool, given_, _OWN)
    except PayloadError:
        return
    assert paths, "an editing tool either names files or is refused"
    assert all(paths)
