"""Packages: published or taken back, removed from the machine, taken from strange places."""

import re

from pointsman.hooks.packs.calls import Given, calls, names
from pointsman.hooks.packs.hosts import is_local
from pointsman.hooks.rule import Call, Pack, Rule, Scene
from pointsman.model.decision import Action
from pointsman.shell.effects import UNKNOWN, Invocation

_PIPS = names("pip pip3 uv pipx poetry pdm python python3 conda mamba uvx")
_NODES = names("npm pnpm yarn bun npx bunx")
_OTHERS = names("gem cargo go composer nuget dotnet")
_TAKES = names("install add i download sync run tool get require update wheel exec dlx")
_SOURCES = frozenset({
    "--index-url", "--extra-index-url", "--find-links", "--trusted-host", "--registry", "--index",
    "--default-index", "--source", "--repository", "--add-source", "-i", "-f", "--channel",
})  # fmt: skip
_FORGE = re.compile(
    r"(?:git\+)?(?:https|ssh|git)://(?:[\w.-]+@)?(?:github\.com|gitlab\.com|bitbucket\.org"
    r"|codeberg\.org)[/:]"
)
_ADDRESS = re.compile(
    r"(?:git\+|hg\+|svn\+|bzr\+)?(?:https?|ftp|git|ssh|svn)(?:\+\w+)?://", re.IGNORECASE
)


def _strange(each: Invocation, scene: Scene) -> str | None:
    del scene
    given = Given.of(each)
    words = given.words
    if given.only_tries() or not (
        each.program in {"npx", "bunx", "uvx"} or set(words[:4]) & _TAKES
    ):
        return None
    if each.program.startswith("python") and words[:2] not in {("-m", "pip"), ("-m", "uv")}:
        return None
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        value = value if equals else (words[index + 1] if index + 1 < len(words) else "")
        short = len(name) == 2 and each.program not in _PIPS
        if name in _SOURCES and not short and _is_strange(name, value):
            return f"{each.program} takes packages from {value[:80].replace(UNKNOWN, '…')}"
        if _ADDRESS.match(word) and not _FORGE.match(word) and not is_local(word):
            return f"{each.program} installs from {word[:80].replace(UNKNOWN, '…')}"
    return None


def _is_strange(name: str, value: str) -> bool:
    if name == "--trusted-host":
        return not is_local(value)
    return _ADDRESS.match(value) is not None and not is_local(value)


def _all_at_once(each: Invocation, scene: Scene) -> str | None:
    del scene
    words = set(each.argv[1:])
    removes = words & {"uninstall", "remove"}
    unknown = any(UNKNOWN in word for word in each.argv[1:])
    listed = any(word.startswith(("-r", "--requirement")) for word in words)
    forced = words & {"-y", "--yes"}
    if removes and (unknown or listed) and forced:
        return f"{each.program} removes every package there is"
    return None


PACK = Pack("packages", "Packages: published, removed, taken from elsewhere.", (
    Rule("package-publish", Action.ASK,
         "Gives something to everybody, and it cannot be taken back.",
         calls("publishes", "npm|pnpm|yarn|bun|lerna publish", "yarn npm publish",
               "npm|pnpm unpublish|deprecate|owner|access|dist-tag|token|star|hook|team|adduser",
               "twine upload", "python|python3 -m twine upload",
               "flit|poetry|hatch|uv|pdm|maturin publish|upload",
               "cargo publish|yank|owner", "gem push|yank|owner", "dotnet nuget push|delete",
               "nuget push|delete",
               "mvn|mvnw ... deploy", "gradle|gradlew ... publish*", "vsce|ovsx publish|unpublish",
               "changeset publish", "semantic-release -d|!--dry-run|-d",
               "goreleaser release !--snapshot",
               "pod trunk push|delete", "mix hex.publish", "conan upload", "luarocks upload",
               "helm push", "docker|podman manifest push", "gh release delete|create",
               "setup.py ... upload", "python|python3 setup.py ... upload",
               "crane|skopeo delete|copy",
               "anaconda upload|remove", "clojars *", "sbt publish*", "dart|flutter pub publish",
               "np *"),
         "npm publish", "npm publish --dry-run", "Pack it and look into the archive first."),
    Rule("package-remove", Action.ASK, "Takes from the machine, not from the project.",
         calls("removes programs", "apt|apt-get|aptitude remove|purge|autoremove|autopurge !-s",
               "dnf|yum|zypper|urpme remove|erase|rm|autoremove", "rpm -e|--erase",
               "pacman|yay|paru -R|--remove", "apk del", "dpkg -r|-P|--remove|--purge|--force-all",
               "brew uninstall|remove|rm|untap", "snap|flatpak remove|uninstall",
               "emerge -C|--unmerge",
               "npm|pnpm uninstall|remove|rm|un|r|unlink -g|--global|--location=global",
               "yarn global remove", "bun remove -g|--global", "pipx uninstall|uninstall-all",
               "uv tool uninstall", "uv python uninstall", "cargo|gem uninstall",
               "rustup self uninstall",
               "rustup toolchain uninstall", "conda env remove", "conda remove --all",
               "dotnet tool uninstall -g|--global", "choco|scoop|winget uninstall",
               "port uninstall",
               "nix-env -e|--uninstall", "nix-collect-garbage -d", "pkg delete|remove|autoremove",
               "asdf|mise uninstall", "nvm|fnm uninstall", "pyenv uninstall",
               "update-alternatives --remove*"),
         "sudo apt-get purge -y openssh-server", "apt-cache search ssh"),
    Rule("package-remove-all", Action.ASK, "Removes packages that nobody has named.",
         Call(frozenset({"pip", "pip3", "npm", "uv", "gem", "conda"}), _all_at_once),
         "pip uninstall -y -r all.txt", "pip uninstall -y requests", plain=True),
    Rule("package-source", Action.ASK,
         "Runs code of a package from a place that nobody has agreed to.",
         Call(_PIPS | _NODES | _OTHERS, _strange),
         "pip install --index-url http://192.0.2.1/simple tool", "pip install -r requirements.txt",
         "Install it by its name, from the registry that is configured."),
    Rule("package-unverified", Action.ASK, "Takes packages without a check of who made them.",
         calls("checks no signature",
             "apt|apt-get ... install --allow-unauthenticated|--force-yes|--allow-downgrades",
               "apt-key add|adv", "add-apt-repository *",
               "dnf|yum|zypper ... install --nogpgcheck|--no-gpg-checks",
               "rpm ... --nosignature|--nodigest", "apk add --allow-untrusted",
               "pacman-key --add|-a|--lsign-key",
               "pacman -U", "npm|pnpm|yarn config set strict-ssl|registry|*:registry",
               "pip|pip3 config set global.index-url|global.trusted-host|*index-url",
               "snap install --dangerous", "brew tap *", "gem sources --add|-a",
               "dpkg -i|--install --force-all"),
         "apt-get install --allow-unauthenticated tool", "apt-get install tool"),
))  # fmt: skip
"""Rules about packages."""
