"""The sample repository: a small program, two agents with contracts, two hooks of its own."""

import subprocess
from pathlib import Path

FILES = {
    "src/app.py": 'def greet(name):\n    return f"hello {name}"\n',
    "src/store.py": "ITEMS = []\n\n\ndef add(item):\n    ITEMS.append(item)\n",
    "tests/test_app.py": "from src.app import greet\n\n\ndef test():\n    assert greet('you')\n",
    "docs/guide.md": "# Guide\n\nSay hello.\n",
    "docs/legal/terms.md": "# Terms\n\nDo not edit.\n",
    "README.md": "# Sample\n",
    ".claude/agents/builder.md": """---
name: builder
description: writes the program and its tests
outputs:
  allowed_modifications: ["src/**", "tests/**"]
  forbidden_patterns: ["**/*.lock"]
---
You write the program.
""",
    ".claude/agents/docs-writer.md": """---
name: docs-writer
description: writes the documentation
contextContract:
  produces:
    files:
      scope: "docs/**/*.md"
      exclude: ["docs/legal/**"]
---
You write the documentation.
""",
    ".pointsman/hooks/house.py": '''import asyncio

from pointsman import deny, enricher, guard, inject


@guard("PreToolUse", tools="Bash")
async def no_deploys(event, ctx):
    """Ten lines of a repository's own policy."""
    if "deploy.sh" in event.tool_input.get("command", ""):
        return deny("deploys go through the pipeline, not through an agent", rule="house.deploy")
    return None


@enricher("UserPromptSubmit")
async def conventions(event, ctx):
    return inject("This repository writes British English and keeps functions short.")


@enricher("PreToolUse", tools="Read", budget=0.3)
async def hanging(event, ctx):
    """Hangs on one file, to show what a budget does."""
    if event.tool_input.get("file_path", "").endswith("README.md"):
        ctx.inject("README.md is generated; edit docs/guide.md instead.")
        await asyncio.sleep(3600)
''',
}


def make(root: Path) -> None:
    """Write the sample repository and commit it."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    identity = ("-c", "user.name=Sample", "-c", "user.email=sample@example.invalid")
    for words in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-qm", "Sample")):
        subprocess.run(["git", *words], cwd=root, check=True)
