"""Environments in manifests of Cloud Run (Knative, and the newer API) and of Kubernetes."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from pointsman.model.preflight import Target
from pointsman.preflight.environments_model import (
    Environment,
    Fact,
    Sort,
    Source,
    Variable,
    variable,
)
from pointsman.preflight.environments_tree import NONE, Part

_POD: Mapping[str, tuple[str, ...]] = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "Job", "ReplicaSet"),
        ("spec", "template", "spec"),
    ),
}
_ANNOTATIONS = {
    "autoscaling.knative.dev/minScale": "min",
    "autoscaling.knative.dev/maxScale": "max",
    "run.googleapis.com/vpc-access-connector": "vpc",
    "run.googleapis.com/network-interfaces": "vpc",
    "run.googleapis.com/vpc-access-egress": "egress",
    "run.googleapis.com/cloudsql-instances": "cloudsql",
    "run.googleapis.com/cpu-throttling": "cpu-throttling",
    "run.googleapis.com/execution-environment": "execution-environment",
    "run.googleapis.com/sessionAffinity": "session-affinity",
    "run.googleapis.com/ingress": "ingress",
}
_COMPOSED = re.compile(r"\$\{|\$\(|\{\{|<[A-Z_]+>")


@dataclass(frozen=True, slots=True)
class Around:
    """What manifests refer to: config maps and secrets by name, with the file that they are in."""

    maps: Mapping[str, tuple[Part, str]] = field(default_factory=dict)
    secrets: Mapping[str, tuple[Part, str]] = field(default_factory=dict)
    merged: frozenset[str] = frozenset()
    """Directories whose manifests are put together with others before they are used."""


def of_document(document: Part, file: str, around: Around) -> Iterator[Environment]:
    """Yield the environment that a document describes, nothing where it describes none."""
    kind, version = document.at("kind").text, document.at("apiVersion").text
    if kind == "Service" and "serving.knative.dev" in version:
        yield from _knative(document, file, around, ("spec", "template"))
    elif kind == "Job" and "run.googleapis.com" in version:
        yield from _knative(document, file, around, ("spec", "template", "spec", "template"))
    elif kind in _POD:
        yield from _workload(document, kind, file, around)
    elif document.at("template", "containers") and not kind:
        yield from newer(document, file)


def _knative(
    document: Part, file: str, around: Around, path: tuple[str, ...]
) -> Iterator[Environment]:
    template = document.at(*path)
    spec = template.at("spec")
    facts = _Facts(file)
    for holder in (template, document.at("spec", "template"), document):
        table = holder.at("metadata", "annotations")
        for key, value in table.table.items():
            if key in _ANNOTATIONS:
                facts.add(_ANNOTATIONS[key], value)
    facts.add("concurrency", spec.at("containerConcurrency"))
    facts.add("timeout", spec.at("timeoutSeconds"))
    yield from _pod(document, spec, facts, around, Target.CLOUD_RUN)


def _workload(document: Part, kind: str, file: str, around: Around) -> Iterator[Environment]:
    facts = _Facts(file)
    facts.add("replicas", document.at("spec", "replicas"))
    yield from _pod(document, document.at(*_POD[kind]), facts, around, Target.KUBERNETES)


class _Facts:
    def __init__(self, file: str) -> None:
        self.file = file
        self.found: dict[str, Fact] = {}

    def add(self, key: str, part: Part) -> None:
        if part.text and key not in self.found:
            self.found[key] = Fact(part.text, self.file, part.line)

    def words(self, key: str, *parts: Part) -> None:
        """Several texts, as of a command, as one."""
        texts = [each for part in parts for each in part.each() if each.text]
        if texts:
            self.found[key] = Fact(" ".join(each.text for each in texts), self.file, texts[0].line)

    def container(self, part: Part) -> None:
        """What every API says of a container in the same words."""
        self.add("image", part.at("image"))
        self.words("command", part.at("command"), part.at("args"))
        self.add("port", part.at("ports", "containerPort"))
        for key in ("cpu", "memory"):
            self.add(key, part.at("resources", "limits", key))


def _main(containers: Iterable[Part]) -> Part:
    """Return the container that serves: the one with a port, else the first."""
    several = tuple(containers)
    return next((each for each in several if each.at("ports")), next(iter(several), NONE))


def _pod(
    document: Part, spec: Part, facts: _Facts, around: Around, target: Target
) -> Iterator[Environment]:
    containers = spec.at("containers").each()
    main = _main(containers)
    if not main:
        return
    facts.add("identity", spec.at("serviceAccountName"))
    facts.container(main)
    for holder in (main, spec):
        facts.add("user", holder.at("securityContext", "runAsUser"))
        facts.add("read-only", holder.at("securityContext", "readOnlyRootFilesystem"))
    variables, unknown = _variables(main, facts.file, around)
    folder = facts.file.rpartition("/")[0]
    if folder in around.merged:
        unknown = unknown or "kustomize puts it together with other files"
    name = document.at("metadata", "name").text
    yield Environment(
        label=f"{facts.file} ({document.at('kind').text} {name or 'without a name'})",
        sort=Sort.DEPLOYED, file=facts.file, line=document.line, name=name, target=target,
        variables=variables, facts=facts.found, beside=len(containers) - 1, unknown=unknown,
        mounts=tuple(each.at("mountPath").text for each in main.at("volumeMounts").items),
    )  # fmt: skip


def _variables(main: Part, file: str, around: Around) -> tuple[dict[str, Variable], str]:
    found: dict[str, Variable] = {}
    unknown = ""
    for each in main.at("envFrom").items:
        for key, known, source in (
            ("configMapRef", around.maps, Source.CONFIG),
            ("secretRef", around.secrets, Source.SECRET),
        ):
            ref = each.at(key, "name").text
            if ref in known:
                part, where = known[ref]
                prefix = each.at("prefix").text
                found.update(_entries(part, where, source, ref, prefix))
            elif ref:
                unknown = f"{file}:{each.line} takes what is in {ref}, which is not among the files"
    for each in main.at("env").items:
        name = each.at("name").text
        if name:
            found[name] = _variable(name, each, file, around)
    return found, unknown


def _entries(
    part: Part, file: str, source: Source, ref: str, prefix: str
) -> Iterator[tuple[str, Variable]]:
    for holder in (part.at("data"), part.at("stringData")):
        for key, value in holder.table.items():
            name = f"{prefix}{key}"
            known = value.text if source is Source.CONFIG else None
            made = variable(name, known, source, file, holder.lines[key])
            yield name, replace(made, ref=f"{ref}:{key}")


def _variable(name: str, each: Part, file: str, around: Around) -> Variable:
    taken = each.at("valueFrom") or each.at("valueSource")
    line = each.lines.get("name", each.line)
    secret, config = taken.at("secretKeyRef"), taken.at("configMapKeyRef")
    if secret:
        ref = secret.at("name").text or secret.at("secret").text
        key = secret.at("key").text or secret.at("version").text
        made = variable(name, None, Source.SECRET, file, line)
        return replace(made, ref=f"{ref}:{key}", optional=secret.at("optional").text == "true")
    if config:
        ref, key = config.at("name").text, config.at("key").text
        known = around.maps.get(ref, (NONE, ""))[0].at("data", key)
        made = variable(name, known.text if known else None, Source.CONFIG, file, line)
        return replace(made, ref=f"{ref}:{key}", optional=config.at("optional").text == "true")
    if taken:
        return variable(name, None, Source.FIELD, file, line)
    value = each.at("value")
    return variable(name, given(value), Source.LITERAL, file, value.line if value else line)


def given(value: Part) -> str | None:
    """Return the text of a value; ``None`` where something else is put into it later."""
    return None if value.table or _COMPOSED.search(value.text) else value.text


def newer(document: Part, file: str) -> Iterator[Environment]:
    """Yield what a service of the newer API of Cloud Run (or its Terraform) describes."""
    template = document.at("template")
    if template.at("template"):
        template = template.at("template")  # of a job
    containers = template.at("containers").each()
    main = _main(containers)
    if not main:
        return
    facts = _Facts(file)
    facts.add("identity", template.at("serviceAccount"))
    facts.container(main)
    for key, part in (("min", "minInstanceCount"), ("max", "maxInstanceCount")):
        facts.add(key, template.at("scaling", part))
    facts.add("concurrency", template.at("maxInstanceRequestConcurrency"))
    facts.add("timeout", template.at("timeout"))
    facts.add("session-affinity", template.at("sessionAffinity"))
    facts.add("ingress", document.at("ingress"))
    facts.add("vpc", template.at("vpcAccess", "connector"))
    facts.add("vpc", template.at("vpcAccess", "networkInterfaces", "network"))
    facts.add("cloudsql", template.at("volumes", "cloudSqlInstance", "instances"))
    names = {each.at("name").text: each for each in main.at("env").each()}
    name = document.at("name").text.rpartition("/")[2]
    yield Environment(
        label=f"{file} (service {name})", sort=Sort.DEPLOYED, file=file, line=document.line,
        name=name, target=Target.CLOUD_RUN, facts=facts.found, beside=len(containers) - 1,
        variables={key: _variable(key, each, file, Around()) for key, each in names.items() if key},
        mounts=tuple(each.at("mountPath").text for each in main.at("volumeMounts").each() if each),
    )  # fmt: skip
