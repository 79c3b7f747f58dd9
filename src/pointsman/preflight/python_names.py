"""What a dotted name of a Python module stands for, by the module's imports."""

import ast


class Imports:
    """Names that a module has imported, wherever in it."""

    def __init__(self, tree: ast.Module) -> None:
        self._known: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for each in node.names:
                    top = each.name.partition(".")[0]
                    self._known[each.asname or top] = each.name if each.asname else top
            elif isinstance(node, ast.ImportFrom):
                for each in node.names:
                    self._known[each.asname or each.name] = f"{node.module or ''}.{each.name}"

    def name(self, node: ast.expr | None) -> str:
        """Return the full dotted name of an expression, empty where it is none."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        parts.append(self._known.get(node.id, node.id))
        return ".".join(reversed(parts))
