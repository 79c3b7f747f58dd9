"""What sections of a spec are called, which words leave a reader guessing, what runs a check."""

import re
from collections.abc import Mapping

SECTIONS: Mapping[str, tuple[str, ...]] = {
    # The longer names first: "out of scope" is not "scope".
    "out of scope": ("out of scope", "not in scope", "non goals", "nongoals", "exclusions"),
    "open questions": ("open questions", "unresolved questions", "questions"),
    "acceptance": (
        "acceptance", "validation", "verification", "done when", "definition of done",
        "how it is proven", "success criteria", "test plan",
    ),
    "scope": ("scope", "in scope", "relevant files", "files", "affected files"),
    "inputs": ("inputs", "input", "context", "background", "references", "facts"),
    "goal": ("goal", "goals", "objective", "objectives", "purpose", "summary"),
}  # fmt: skip
"""The names follow what specs of coding agents and of requests for comments use."""

VAGUE: Mapping[str, str] = {
    # An open list: INCOSE, Guide to Writing Requirements, rule R9 (open-ended clauses).
    "etc": "an open list", "and so on": "an open list", "and the like": "an open list",
    # Escape clauses: the same guide, rule R8.
    "as needed": "an escape clause", "if possible": "an escape clause",
    "where possible": "an escape clause", "as appropriate": "an escape clause",
    "as necessary": "an escape clause", "if necessary": "an escape clause",
    # Vague terms: the same guide, rule R7; ISO/IEC/IEEE 29148:2018, 5.2.7.
    "user friendly": "a vague term", "appropriate": "a vague term", "properly": "a vague term",
    "reasonable": "a vague term", "robust": "a vague term", "better": "a comparison with nothing",
    "efficient": "a vague term", "nice": "a vague term", "clean up": "a vague term",
    "fast": "a figure is missing", "quickly": "a figure is missing", "easy": "a vague term",
    "improve": "a figure is missing", "somehow": "a vague term", "works correctly": "a vague term",
    "several": "a figure is missing", "tbd": "left open", "todo": "left open",
}  # fmt: skip

RUNNERS = frozenset((
    "ant", "bash", "bazel", "biome", "buck", "bun", "cargo", "cmake", "composer", "ctest", "curl",
    "deno", "docker", "dotnet", "eslint",
    "git", "go", "gradle", "gradlew", "grep", "jest", "just", "lint-imports", "make", "mix",
    "mvn", "mypy", "ninja", "node", "nox", "npm", "npx",
    "oxlint", "phpunit", "pnpm", "pointsman", "pre-commit", "pyright", "pytest", "python",
    "python3", "rake", "rspec", "ruff", "sbt",
    "sh", "swift", "task", "tox", "tsc", "ty", "uv", "uvx", "vitest", "xcodebuild", "yarn", "zig",
))  # fmt: skip
"""What an inline command may begin with; a fenced shell block may hold any."""

SUFFIXES = frozenset((
    "c", "cc", "cfg", "cpp", "cs", "css", "go", "h", "html", "ini", "java", "js", "json", "jsx",
    "kt", "lock", "md", "mjs", "php", "proto", "py", "rb", "rs", "scss", "sh",
    "sql", "svelte", "swift", "tf", "toml", "ts", "tsx", "txt", "vue", "yaml", "yml",
))  # fmt: skip
"""Endings by which a name without a slash is taken for a file's."""

NEW = re.compile(r"\b(new|create[sd]?|add(s|ed)?|introduce[sd]?|to be written)\b", re.IGNORECASE)
"""What declares that a path is not there yet."""

ANSWERED = re.compile(r"answer|decided|decision|resolved|→|->|=>|~~|\[x\]|\bA:", re.IGNORECASE)
"""What shows in an item that its question is closed."""
