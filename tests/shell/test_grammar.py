from pointsman.shell.grammar import near, parse


def test_a_tree_comes_back_and_an_error_is_shown_where_it_is() -> None:
    tree = parse(b"echo a; ls")
    assert tree is not None
    assert not tree.root_node.has_error
    broken = parse(b"ls; if true; then )")
    assert broken is not None
    assert broken.root_node.has_error
    assert near(broken.root_node)


def test_text_of_several_slices_is_read_to_its_end() -> None:
    tree = parse(b"ls;" * 20_000)
    assert tree is not None
    assert tree.root_node.end_byte == 60_000


def test_a_parse_that_would_not_end_is_given_up() -> None:
    assert parse(b")(" * 60_000) is None
