"""The tables by which a sentence becomes a check: a new form is one line here."""

import re
from collections.abc import Mapping

LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "python": (".py", ".pyi"),
    "typescript": (".ts", ".tsx", ".mts", ".cts"),
    "javascript": (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx"),
    "react": (".tsx", ".jsx"),
    "component": (".tsx", ".jsx", ".vue", ".svelte"),
    "components": (".tsx", ".jsx", ".vue", ".svelte"),
    "golang": (".go",),
    "go code": (".go",),
    "rust": (".rs",),
    "java": (".java",),
    "kotlin": (".kt", ".kts"),
    "ruby": (".rb",),
    "php": (".php",),
    "swift": (".swift",),
    "css": (".css", ".scss", ".less"),
    "sql": (".sql",),
    "shell": (".sh", ".bash"),
    "c++": (".cc", ".cpp", ".hpp", ".cxx"),
    "c#": (".cs",),
}
"""What a sentence or its heading may name, and whose files those are."""

_SCRIPT = (".ts", ".tsx", ".js", ".jsx", ".mts", ".cts", ".mjs", ".cjs")
_PYTHON = (".py", ".pyi")

PATTERNS: Mapping[str, tuple[re.Pattern[str], tuple[str, ...], str]] = {
    "default-export": (re.compile(r"^\s*export\s+default\b|\bas\s+default\b"), _SCRIPT,
                       "a default export"),
    "named-export": (re.compile(r"^\s*export\s+(?:const|let|function|class|async)\b"), _SCRIPT,
                     "a named export"),
    "star-import": (re.compile(r"^\s*from\s+[\w.]+\s+import\s+\*|^\s*import\s+\*\s+as\b"),
                    (*_SCRIPT, *_PYTHON), "a wildcard import"),
    "parent-import": (re.compile(r"^\s*(?:import\b.*|from\s+)\.\.|\bfrom\s+\S?\.\./"),
                      (*_SCRIPT, *_PYTHON), "a relative import from above"),
    "any-type": (re.compile(r"(?:[:<,|&=]\s*|\bas\s+)any\b"), (".ts", ".tsx", ".mts", ".cts"),
                 "the type any"),
    "bare-except": (re.compile(r"^\s*except\s*:"), _PYTHON, "a bare except"),
    "print": (re.compile(r"(?<![\w.])print\s*\("), _PYTHON, "print()"),
    "console": (re.compile(r"\bconsole\s*\.\s*(?:log|debug|info)\b"), _SCRIPT, "console.log"),
    "var": (re.compile(r"^\s*(?:export\s+)?var\s"), _SCRIPT, "var"),
    "todo": (re.compile(r"\b(?:TODO|FIXME|XXX)\b"), (), "a TODO"),
    "semicolon": (re.compile(r";\s*$"), _SCRIPT, "a semicolon at the end of a line"),
    "class-component": (re.compile(r"\bextends\s+(?:React\.)?(?:Pure)?Component\b"), _SCRIPT,
                        "a class component"),
    "relative-import": (re.compile(r"^\s*from\s+\.|\bfrom\s+\S?\.{1,2}/"),
                        (*_SCRIPT, *_PYTHON), "a relative import"),
    "inline-style": (re.compile(r"\bstyle=\{\{"), (".tsx", ".jsx"), "an inline style"),
    "global": (re.compile(r"^\s*global\s+\w"), _PYTHON, "a global"),
}  # fmt: skip
"""Forms of a line: what finds one, in which files, and what it is called."""
IN_COMMENTS = frozenset({"todo"})
"""Forms that are looked for in comments and strings as well."""

_NO = r"(?:never|no|not|avoid|don't|do not|must not|without|forbid(?:den)?|ban(?:ned)?)"
_END = r"\s*(?:$|[.,;(:)]|in\b)"
PHRASES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(phrase, re.IGNORECASE), name)
    for phrase, name in (
        (rf"\b{_NO}\b.{{0,24}}\bdefault exports?\b|\buse named exports?\b|\bnamed exports? only\b",
         "default-export"),
        (r"\buse default exports?\b|\bdefault exports? only\b", "named-export"),
        (rf"\b{_NO}\b.{{0,24}}\b(?:wildcard|star) imports?\b|\b{_NO}\b.{{0,24}}\bimport \*",
         "star-import"),
        (rf"\b{_NO}\b.{{0,24}}\bparent imports?\b|\b{_NO}\b.{{0,24}}\bimports? from ['`\"]?\.\./",
         "parent-import"),
        (rf"\b{_NO}\b.{{0,24}}\brelative imports?\b|\buse absolute imports?\b", "relative-import"),
        (rf"\b{_NO}\b (?:use |using )?(?:the )?(?:type )?['`\"]?any['`\"]?(?: types?)?{_END}",
         "any-type"),
        (rf"\b{_NO}\b.{{0,24}}\bbare ['`\"]?excepts?\b", "bare-except"),
        (rf"\b{_NO}\b.{{0,24}}['`\"]?\bprint(?:\(\))?['`\"]?(?: statements?)?{_END}", "print"),
        (rf"\b{_NO}\b.{{0,24}}\bconsole\.log\b", "console"),
        (rf"\b{_NO}\b (?:use |using )?['`\"]?var['`\"]?\s*(?:$|[.,;(:)])", "var"),
        (rf"\b{_NO}\b.{{0,24}}\bTODOs?\b", "todo"),
        (rf"\b{_NO}\b (?:use |using )?(?:trailing )?semicolons?\b", "semicolon"),
        (rf"\b{_NO}\b.{{0,24}}\bclass components?\b|\bfunction(?:al)? components? only\b",
         "class-component"),
        (rf"\b{_NO}\b.{{0,24}}\binline styles?\b", "inline-style"),
    )
)  # fmt: skip
"""What a sentence says of these forms."""

SPOKEN: Mapping[str, str] = {
    "default-export": "export", "named-export": "export", "star-import": "import",
    "parent-import": "import", "relative-import": "import", "any-type": "any",
    "bare-except": "except", "print": "print", "console": "console", "var": "var", "todo": "todo",
    "semicolon": "semicolon", "class-component": "component", "inline-style": "style",
}  # fmt: skip
"""A word that a sentence of each form has in it."""
NEEDLES = tuple(dict.fromkeys(SPOKEN.values()))

STYLES: Mapping[str, re.Pattern[str]] = {
    "kebab-case": re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*"),
    "snake_case": re.compile(r"_{0,2}[a-z0-9]+(?:_[a-z0-9]+)*_{0,2}"),
    "camelCase": re.compile(r"[a-z][a-zA-Z0-9]*"),
    "PascalCase": re.compile(r"[A-Z][a-zA-Z0-9]*"),
}
"""How a name is spelled."""

PROGRAMS = frozenset({
    "npm", "yarn", "pnpm", "bun", "npx", "pip", "pip3", "poetry", "uv", "pipenv", "conda",
    "make", "just", "jest", "vitest", "mocha", "pytest", "tox", "nox", "unittest", "black",
    "ruff", "flake8", "eslint", "biome", "prettier", "cargo", "docker", "podman",
    "docker-compose", "gradle", "mvn", "grep", "rg", "find", "fd", "sed", "awk", "curl", "wget",
    "python", "python2", "node", "deno",
})  # fmt: skip
"""Words that are programs to be run, where a sentence names them."""
