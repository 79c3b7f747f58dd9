"""Variables that a settings class of pydantic reads: by field, alias and prefix."""

import ast
from collections.abc import Iterator

from pointsman.model.preflight import How, Use
from pointsman.preflight.python_names import Imports
from pointsman.preflight.python_needs import field_need
from pointsman.preflight.python_text import Text

_BASES = frozenset({"pydantic_settings.BaseSettings", "pydantic.BaseSettings",
                    "pydantic.v1.BaseSettings"})  # fmt: skip
_ALIASES = ("validation_alias", "alias", "env")
_DERIVED = (
    "it follows from the field's name: give the field validation_alias={!r} and rename that, or "
    "give the class an env_prefix"
)


def settings_uses(node: ast.ClassDef, imports: Imports, text: Text, file: str) -> Iterator[Use]:
    """Yield what the fields of a settings class are read from; nothing of any other class."""
    bases = {imports.name(base) for base in node.bases}
    if not bases & _BASES and "BaseSettings" not in {each.rpartition(".")[2] for each in bases}:
        return
    prefix = _prefix(node)
    for field in node.body:
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if field.target.id == "model_config" or "ClassVar" in ast.unparse(field.annotation):
            continue
        named = list(_aliases(field.value))
        need, fallback = field_need(field.value)
        for constant, value in named:
            span = text.literal(constant, value)
            start, end = span or (0, 0)
            yield Use(name=value, file=file, line=constant.lineno, how=How.READ, start=start,
                      end=end, form="{}" if span else "", need=need, fallback=fallback,
                      why_not="" if span else "the name is not written in one piece")  # fmt: skip
        if not named:
            name = f"{prefix}{field.target.id}".upper()
            yield Use(name=name, file=file, line=field.lineno, how=How.READ, form="", need=need,
                      fallback=fallback, why_not=_DERIVED.format(name))  # fmt: skip


def _aliases(value: ast.expr | None) -> Iterator[tuple[ast.Constant, str]]:
    if not isinstance(value, ast.Call):
        return
    for given in value.keywords:
        if given.arg in _ALIASES:
            # AliasChoices("A", "B") and lists name several.
            for each in ast.walk(given.value):
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield each, each.value


def _prefix(node: ast.ClassDef) -> str:
    for each in ast.walk(node):
        given: ast.expr | None = None
        if isinstance(each, ast.keyword) and each.arg == "env_prefix":
            given = each.value
        elif isinstance(each, ast.Dict):
            given = next(
                (value for key, value in zip(each.keys, each.values, strict=True)
                 if isinstance(key, ast.Constant) and key.value == "env_prefix"), None,
            )  # fmt: skip
        elif isinstance(each, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "env_prefix" for target in each.targets
        ):
            given = each.value
        if isinstance(given, ast.Constant) and isinstance(given.value, str):
            return given.value
    return ""
