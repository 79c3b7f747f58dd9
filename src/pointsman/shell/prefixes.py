"""Programs whose command follows their own options, as a table."""

from collections.abc import Mapping

from pointsman.shell.arguments import names
from pointsman.shell.carried import Prefix, these

_OF_TOOLS = names(
    "-n -p -w --with --python --extra --group --directory --project --env-file --package"
    " --prefix --name --cwd -C --filter -e --env --workspace --manifest-path --config -f"
    " --feature"
)
"""Options with a value of tools that run a command in an environment of theirs."""
_OF_WRAPPERS = names(
    "-f -g -e -o -p -c -N -C -m -w -E -u --tool --log-file --reuid --regid --groups -I -A"
    " --exts --watch --ext"
)
CALLS = these(
    "npx", "npm", "pnpm", "bunx", "nix-shell", "sg", "newgrp", "nodemon", "cross-env-shell"
)
"""Those of them that take a text for the shell by an option."""

PREFIXES: Mapping[str, Prefix] = {
    "sudo": Prefix(
        these("-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "-r", "-t"), assignments=True
    ),
    "doas": Prefix(these("-u", "-C")),
    "env": Prefix(these("-u", "--unset", "-C", "--chdir", "-S"), assignments=True),
    "nice": Prefix(these("-n", "--adjustment")),
    "ionice": Prefix(these("-c", "-n", "-p", "--class", "--classdata")),
    "timeout": Prefix(these("-s", "-k", "--signal", "--kill-after"), skip=1),
    "nohup": Prefix(),
    "setsid": Prefix(),
    "stdbuf": Prefix(these("-i", "-o", "-e")),
    "time": Prefix(these("-f", "-o")),
    "command": Prefix(),
    "builtin": Prefix(),
    "exec": Prefix(these("-a")),
    "chroot": Prefix(these("--userspec", "--groups"), skip=1),
    "unshare": Prefix(these("--propagation")),
    "nsenter": Prefix(these("-t", "--target")),
    "busybox": Prefix(),
    "toybox": Prefix(),
    "strace": Prefix(these("-e", "-o", "-p", "-s", "-u")),
    "coproc": Prefix(),
    "then": Prefix(),
    "do": Prefix(),
    "!": Prefix(),
    "caffeinate": Prefix(these("-t", "-w")),
    "flock": Prefix(these("-w", "-E", "--timeout", "--wait"), skip=1),
    "chrt": Prefix(skip=1),
    "taskset": Prefix(skip=1),
    "fakeroot": Prefix(),
    "rtk": Prefix(),
    "proxychains": Prefix(these("-f")),
    "proxychains4": Prefix(these("-f")),
    "pkexec": Prefix(these("--user")),
    "runuser": Prefix(these("-u")),
    "dbus-run-session": Prefix(),
    "xvfb-run": Prefix(these("-s", "-n")),
    "uv": Prefix(_OF_TOOLS, first="run"),
    "uvx": Prefix(),
    "poetry": Prefix(_OF_TOOLS, first="run"),
    "pipenv": Prefix(_OF_TOOLS, first="run"),
    "pdm": Prefix(_OF_TOOLS, first="run"),
    "hatch": Prefix(_OF_TOOLS, first="run"),
    "pipx": Prefix(_OF_TOOLS, first="run"),
    "pnpm": Prefix(_OF_TOOLS, first="exec"),
    "npm": Prefix(_OF_TOOLS, first="exec"),
    "yarn": Prefix(_OF_TOOLS, first="exec"),
    "bundle": Prefix(_OF_TOOLS, first="exec"),
    "lvm": Prefix(),
    "systemd-run": Prefix(these("-u", "--unit", "-p", "--property", "-M", "-H", "-E", "--slice")),
    "npx": Prefix(these("-p", "--package", "-w", "--workspace")),
    "bunx": Prefix(),
    "direnv": Prefix(skip=1, first="exec"),
    **dict.fromkeys(
        sorted(
            names(
                "rye pixi conda mamba micromamba devbox op doppler infisical varlock mise rtx"
                " asdf rbenv pyenv nodenv chamber"
            )
        ),
        Prefix(_OF_TOOLS, first="run exec x"),
    ),
    "aws-vault": Prefix(_OF_TOOLS, skip=1, first="exec"),
    "git-annex": Prefix(first="exec"),
    **dict.fromkeys(
        sorted(
            names(
                "firejail valgrind unbuffer numactl prlimit setpriv eatmydata rlwrap winpty"
                " torsocks torify dumb-init tini catatonit ccache distcc dotenv dotenvx daemonize"
                " linux32 linux64 setarch proot schroot entr retry chronic cgexec nix-shell"
                " watchexec nodemon pnpx catchsegv ltrace"
            )
        ),
        Prefix(_OF_WRAPPERS),
    ),
    "perf": Prefix(these("-e", "-o", "-F", "-p", "-r"), first="stat record trace"),
    "arch": Prefix(),
    "sshpass": Prefix(these("-p", "-f", "-d", "-P")),
    "gosu": Prefix(skip=1),
    "su-exec": Prefix(skip=1),
    "setuidgid": Prefix(skip=1),
    "faketime": Prefix(these("-f"), skip=1),
    "sg": Prefix(skip=1),
    "newgrp": Prefix(skip=1),
    "bwrap": Prefix(
        names(
            "--dir --tmpfs --proc --dev --chdir --unsetenv --uid --gid --hostname --seccomp"
            " --remount-ro"
        ),
        pairs=names(
            "--bind --ro-bind --dev-bind --bind-try --ro-bind-try --symlink --setenv --file"
            " --dev-bind-try"
        ),
    ),
    "cross-env": Prefix(assignments=True),
    "cross-env-shell": Prefix(assignments=True),
    "watch": Prefix(these("-n", "--interval")),
}
