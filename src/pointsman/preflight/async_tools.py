"""Functions that an agent's framework is given as tools, and where the framework runs them."""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from pointsman.preflight.async_code import Function, Module
from pointsman.preflight.async_kinds import Kinds, Scope


class Framework(NamedTuple):
    """How tools are registered, and since which version they run in a thread (empty: never)."""

    name: str
    package: str
    decorator: "re.Pattern[str]"
    given: "re.Pattern[str]"
    threads_since: str
    instead: str = ""
    """A setting by which it threads them where somebody asks."""


_NEVER = re.compile(r"(?!)")
FRAMEWORKS = (
    Framework("Google ADK", "google-adk", _NEVER,
              re.compile(r"google\.adk\.(?:agents(?:\.\w+)*\.(?:Llm)?Agent|Agent"
                         r"|tools(?:\.\w+)*\.(?:LongRunning)?FunctionTool)\Z"),
              "", "ToolThreadPoolConfig"),
    Framework("openai-agents", "openai-agents",
              re.compile(r"agents(?:\.tool)?\.function_tool(?:\(\))?\Z"),
              re.compile(r"agents(?:\.tool)?\.function_tool\Z"), "0.8.0"),
    Framework("mcp", "mcp", re.compile(
        r"mcp\.server\.(?:fastmcp(?:\.\w+)?\.FastMCP|mcpserver\.MCPServer)\(\)\.(?:tool|resource|prompt)"
        r"(?:\(\))?\Z"),
        re.compile(r"mcp\.server\.(?:fastmcp(?:\.\w+)?\.FastMCP|mcpserver\.MCPServer)\(\)\.add_tool\Z"),
        "2.0.0"),
    Framework("FastMCP", "fastmcp",
              re.compile(r"fastmcp\.(?:server\.)?FastMCP\(\)\.(?:tool|resource|prompt)(?:\(\))?\Z"),
              re.compile(r"fastmcp\.(?:server\.)?FastMCP\(\)\.add_tool\Z"), "3.0.0"),
    Framework("Semantic Kernel", "semantic-kernel",
              re.compile(r"semantic_kernel\.functions(?:\.\w+)?\.kernel_function(?:\(\))?\Z"),
              _NEVER, ""),
)  # fmt: skip
"""Read in google-adk 2.13.0, openai-agents 0.7.0 and 0.8.0 (#2387), mcp 1.25.0 and 2.3.0, fastmcp
2.14.0 and 3.0.0, semantic-kernel 1.45.0. LangChain, LlamaIndex, PydanticAI use threads always."""


class Registered(NamedTuple):
    """A tool: its function, with which framework, where it is registered."""

    function: Function
    framework: Framework
    file: str
    line: int
    inline: bool = False
    """Whether it says itself that it wants to run on the loop."""


def registered(kinds: Kinds) -> Iterator[Registered]:
    """Yield every function that is registered as a tool; each once for each framework."""
    seen: set[tuple[Function, str]] = set()
    for each in (*_decorated(kinds), *_given(kinds)):
        if (each.function, each.framework.name) not in seen:
            seen.add((each.function, each.framework.name))
            yield each


def _decorated(kinds: Kinds) -> Iterator[Registered]:
    for function in kinds.code.functions:
        scope = Scope(function.module, function.parent)
        for decorator in function.node.decorator_list:
            path = kinds.of(decorator, scope)
            if not isinstance(path, str):
                continue
            for framework in FRAMEWORKS:
                if framework.decorator.match(path):
                    yield Registered(function, framework, function.module.file,
                                     function.node.lineno, _is_inline(decorator))  # fmt: skip


def _is_inline(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and any(
        each.arg == "run_in_thread"
        and isinstance(each.value, ast.Constant)
        and each.value.value is False
        for each in decorator.keywords
    )


def _given(kinds: Kinds) -> Iterator[Registered]:
    for module in kinds.code.modules:
        scopes = [(Scope(module), [e for e in module.own if isinstance(e, ast.Call)])]
        scopes += [(Scope(module, each), list(each.calls)) for each in module.every]
        for scope, calls in scopes:
            for call in calls:
                yield from _of_call(kinds, scope, call)


def _of_call(kinds: Kinds, scope: Scope, call: ast.Call) -> Iterator[Registered]:
    path = kinds.of(call.func, scope)
    framework = next((each for each in FRAMEWORKS
                      if isinstance(path, str) and each.given.match(path)), None)  # fmt: skip
    if framework is None:
        return
    values = [*call.args, *(e.value for e in call.keywords if e.arg in {"tools", "func", "fn"})]
    for value in values:
        for each in _elements(value, scope.module):
            function = kinds.of(each, scope)
            if isinstance(function, Function):
                yield Registered(function, framework, scope.module.file, call.lineno)


def _elements(value: ast.expr, module: Module) -> list[ast.expr]:
    if isinstance(value, ast.Name) and value.id in module.bindings:
        made = module.bindings[value.id][0].value
        return made.elts if isinstance(made, (ast.List, ast.Tuple)) else []
    if isinstance(value, (ast.List, ast.Tuple)):
        return value.elts
    if isinstance(value, ast.BinOp):
        return [*_elements(value.left, module), *_elements(value.right, module)]
    return [value]
