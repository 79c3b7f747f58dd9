"""From a confinement to words."""

import os

from pointsman.model.confinement import Confinement, Prefix, Seam
from pointsman.sandbox.confine import confine

CLIENT = ("/opt/pointsman-exec",)
PLACE = Confinement(
    root="/r", writable=("/r/src/deep", "/t", "/r/src"), protected=("/r/src/keep", "/r"),
    hidden=("/run/bus",), limits=("said before",),
)  # fmt: skip


def seam(mechanism: str, **more: object) -> Seam:
    return Seam(mechanism=mechanism, client=CLIENT, program="/usr/bin/bwrap", **more)  # type: ignore[arg-type]


def between(words: tuple[str, ...], first: str) -> tuple[str, ...]:
    start = words.index(first) + 1
    return words[start : words.index("--", start)]


def test_bubblewrap_is_joined_and_what_lies_deeper_comes_later() -> None:
    made = confine(PLACE, seam("bubblewrap"))
    assert made.words[:2] == ("/opt/pointsman-exec", "--join")
    rules = between(made.words, "--join")
    assert tuple(each for each in rules if not each.startswith("-/proc/")) == (
        "-/r", "+/t", "+/r/src", "+/r/src/deep", "-/r/src/keep", "!/run/bus",
    )  # fmt: skip
    # What root sets in the kernel without any power comes first, whatever a contract allows.
    assert ("-/proc/sys" in rules) == (os.geteuid() == 0)
    assert between(made.words, "--")[:4] == ("/usr/bin/bwrap", "--ro-bind", "/", "/")
    assert made.words[-1] == "--"
    assert made.limits == ("said before",)


def test_the_network_is_closed_where_the_contract_says_so() -> None:
    closed = Confinement(root="/r", writable=(), network=False)
    assert "--unshare-net" in confine(closed, seam("bubblewrap")).words
    assert "--unshare-net" not in confine(PLACE, seam("bubblewrap")).words
    assert "no-network" in confine(closed, seam("landlock")).words
    assert "no-network" not in confine(PLACE, seam("landlock")).words


def test_bubblewrap_that_cannot_be_joined_binds_by_itself_and_says_what_that_means() -> None:
    made = confine(PLACE, seam("bubblewrap", stays=True))
    assert made.words[0] == "/usr/bin/bwrap"
    at = made.words.index("/r/src")
    assert made.words[at - 1 : at + 2] == ("--bind", "/r/src", "/r/src")
    assert any("stays above the command" in limit for limit in made.limits)


def test_too_much_for_bubblewrap_alone_is_not_made_writable() -> None:
    many = Confinement(
        root="/r", writable=("/r/src", "/t"), protected=tuple(f"/r/src/{n}" for n in range(200))
    )
    made = confine(many, seam("bubblewrap", stays=True))
    assert "/t" in made.words
    assert "/r/src" not in made.words
    assert any("nothing in the repository may be written" in limit for limit in made.limits)


def test_landlock_names_what_it_cannot_keep() -> None:
    made = confine(PLACE, seam("landlock"))
    assert made.words[:2] == ("/opt/pointsman-exec", "--landlock")
    assert {"+/t", "+/r/src", "+/dev/null"} <= set(made.words)
    assert any("cannot keep /r/src/keep below the writable /r/src" in each for each in made.limits)
    assert any("cannot hide sockets: /run/bus" in each for each in made.limits)


def test_without_a_mechanism_there_are_no_words_and_the_reason() -> None:
    refused = (("bubblewrap", "it is not installed"), ("landlock", "the kernel lacks it"))
    assert confine(PLACE, seam("none", refused=refused)) == Prefix(
        mechanism="none",
        limits=(
            "said before",
            (
                "nothing on this machine can hold a command (bubblewrap: it is not installed; "
                "landlock: the kernel lacks it)"
            ),
        ),
    )
