"""Secrets: files of keys, commands that print one, the environment, a cloud's own keys."""

import re

from pointsman.hooks.packs.calls import Given, calls, names
from pointsman.hooks.packs.hosts import METADATA
from pointsman.hooks.packs.places import shown
from pointsman.hooks.packs.secret_paths import is_credential, secrets_read
from pointsman.hooks.rule import Call, Deed, Flow, Pack, Rule, Scene
from pointsman.model.decision import Action
from pointsman.shell.effects import Analysis, Effect, Invocation, Kind
from pointsman.shell.interpreters import code_of

_NAMES = (
    r"[A-Za-z0-9_]*(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|API_?KEY|PRIVATE_?KEY"
    r"|ACCESS_?KEY|CREDENTIALS?)\w*"
)
_VARIABLE = re.compile(
    rf"\$(?:\{{!?({_NAMES})(?:[:,^%/@]?[-,^%/@=][^}}]*|:\d[^}}]*)?\}}"
    rf"|({_NAMES}))"
)
_NAME = re.compile(_NAMES)
_PRINTED = re.compile(
    r"(?:print|console\.log|puts|echo|\bp)\b[^;\n]{0,200}?"
    r"(?:environ|getenv|process\.env|\bENV)(?:\.get)?"
    rf"(?:\W{{0,3}}{_NAMES}|\s*\)*\s*(?:[;\n]|\Z))"
)
"""Code that prints such a variable, or all of them."""
_PRINTS = frozenset({"echo", "printf", "print", "cat"})


def _read(analysis: Analysis, scene: Scene) -> tuple[Invocation, str] | None:
    del scene
    for each in analysis.invocations:
        for path in secrets_read(each):
            return each, f"{each.program or 'the shell'} reads {shown(path)}, a file of secrets"
    return None


def _write(effect: Effect, each: Invocation, scene: Scene) -> str | None:
    makes = each.program in {"ssh-keygen", "chmod", "mkdir", "touch", "gpg", "ssh-keyscan"}
    if makes or not is_credential(effect.path) or not effect.path.startswith((scene.home, "/")):
        return None
    if effect.path.startswith(f"{scene.cwd}/"):
        return None
    return f"{effect.construct} writes {shown(effect.path)}, which somebody logs in with"


def _prints(analysis: Analysis, scene: Scene) -> tuple[Invocation, str] | None:
    """A variable whose name says that it is secret, printed and fed to nothing."""
    del scene
    feeders = {each.fed_by for each in analysis.invocations if each.fed_by}
    for each in analysis.invocations:
        if each.argv in feeders or not each.argv:
            continue
        if each.program in _PRINTS:
            found = _VARIABLE.search(each.text) if "\x00" in "".join(each.argv) else None
            files = any(">" in redirect.operator for redirect in each.redirects)
            if found is not None and not files:
                return each, f"{each.program} prints the variable {found[1] or found[2]}"
        printed = _PRINTED.search((code_of(each) or "")[:16384])
        if printed is not None:
            return each, f"code for {each.program} prints {printed[0][-60:]}"
        if each.program == "printenv":
            named = [word for word in each.argv[1:] if _NAME.fullmatch(word)]
            if named:
                return each, f"printenv prints the variable {named[0]}"
    return None


def _metadata(each: Invocation, scene: Scene) -> str | None:
    del scene
    for word in each.argv[1:]:
        if METADATA.search(word):
            return f"{each.program} asks {word[:80]}, which hands out the keys of the machine"
    return None


def _debugs(each: Invocation, scene: Scene) -> str | None:
    del scene
    given = Given.of(each)
    attaches = any(given.has(option) for option in ("-p", "--pid", "--attach"))
    reads = attaches or each.program == "gcore"
    return f"{each.program} reads the memory of another process" if reads else None


_FETCHERS = names(
    "curl wget http https xh fetch aria2c lynx nc ncat netcat socat telnet python python3 node "
    "ruby perl php"
    " bash sh ssh ping powershell pwsh"
)

PACK = Pack("secrets", "Keys and passwords.", (
    Rule("metadata-service", Action.DENY, "Hands the keys of the machine to whoever asks.",
         Call(_FETCHERS, _metadata), "curl http://169.254.169.254/latest/meta-data/",
         "curl https://example.com/latest/meta-data/", plain=True),
    Rule("secret-print", Action.ASK, "It then stands in the conversation.",
         calls("prints a key or password",
               "gh|glab auth token", "gh auth status -t|--show-token",
               "glab auth status -t|--show-token",
               "gcloud auth print-*|application-default", "gcloud auth application-default print-*",
               "gcloud secrets versions access", "gcloud iam service-accounts keys create",
               "aws configure get|export-credentials",
               "aws sts get-session-token|assume-role*|get-federation-token",
               "aws secretsmanager get-secret-value|batch-get-secret-value",
               "aws ssm get-parameter* --with-decryption",
               "aws iam create-access-key", "aws ecr|codeartifact get-authorization-token",
               "aws kms decrypt",
               "aws rds generate-db-auth-token", "aws lambda get-function-configuration",
               "az account get-access-token", "az keyvault secret|key show|download",
               "az ... list-keys|keys|show-connection-string",
               "az acr credential|login ... show|--expose-token", "az storage account keys list",
               "kubectl|oc get secret|secrets|secret/* -o|--output|-ojson|-oyaml",
               "kubectl|oc describe secret|secrets",
               "kubectl|oc config view --raw|--flatten", "kubectl|oc create token",
               "oc whoami -t|--show-token",
               "kubectl|oc extract secret/*", "vault read|kv|print|token|unwrap !list|login",
               "op read|item|document|signin",
               "pass show|ls|grep|cp", "gopass show|ls|cat", "bw get|list|export",
               "lpass show|export", "security find-*-password|dump-keychain|export",
               "security unlock-keychain", "secret-tool lookup|search", "keyctl print|pipe|read",
               "gpg|gpg2 --export-secret-keys|--export-secret-key|--export-secret-subkeys",
               "gpg|gpg2 -d|--decrypt", "heroku config|auth:token|config:get",
               "doppler secrets|run", "infisical secrets|export",
               "chamber read|export|env|list", "sops -d|--decrypt|decrypt|exec-env",
               "sops decrypt", "ansible-vault view|decrypt", "age -d|--decrypt",
               "git credential fill|get", "git credential-* get",
               "git config ... credential.*|*token*|*password* !--unset",
               "npm|pnpm|yarn config get|list|ls *_auth*", "npm token list|create",
               "npm config get *uth*", "fly|flyctl auth|tokens token|create|list",
               "flyctl|fly auth token", "vercel env pull|ls", "netlify env:list|env:get",
               "railway variables", "wrangler secret list",
               "supabase secrets list", "stripe config --list", "getent shadow", "unshadow *",
               "cmdkey /list", "mimikatz *", "lazagne *",
               "systemctl show-environment", "docker|podman inspect --format=*Env*",
               "snow connection list", "terraform|tofu output -json|-raw",
               "consul kv get -recurse", "conjur variable get", "keyring get", "ssh-add -L",
               "rclone config show|dump", "helm get values -a|--all"),
         "gh auth token", "gh auth status",
         "Let the program that needs it take it itself."),
    Rule("secret-write", Action.ASK, "Replaces what somebody logs in with.",
         Deed(frozenset({Kind.WRITE}), _write), "echo token > ~/.git-credentials",
             "echo A=b >> .env", plain=True),
    Rule("secret-variable", Action.ASK, "Prints a key or password into the conversation.",
         Flow(_prints), "echo $GITHUB_TOKEN", 'test -n "$GITHUB_TOKEN"',
         "Ask whether it is set: test -n."),
    Rule("process-memory", Action.ASK, "What lies there holds keys and passwords as well.",
         Call(frozenset({"gdb", "gcore", "strace", "ltrace", "lldb", "ptrace", "procdump"}),
             _debugs),
         "gcore 4242", "strace -f ls"),
    Rule("secret-read", Action.ASK, "Hands keys and passwords to whoever reads on.",
         Flow(_read), "cat ~/.ssh/id_rsa", "cat ~/.ssh/id_rsa.pub",
         "Look at the names only, or at the example that is kept beside it."),
))  # fmt: skip
"""Rules about secrets."""
