"""Ways to write ``tests/t.py`` when only ``src/`` is allowed: the file is as it was after each.

Each attack first does something that it may, so that one which never ran cannot pass.
"""

import os
import shutil
import socket
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from .conftest import Project

ATTACKS = {
    "redirect": "echo x > tests/t.py",
    "append": "echo x >> tests/t.py",
    "clobber": "set +C; : >| tests/t.py",
    "read-write": "exec 3<> tests/t.py && echo x >&3",
    "tee": "echo x | tee tests/t.py",
    "sed-i": "sed -i s/original/x/ tests/t.py",
    "perl-i": "perl -pi -e 's/original/x/' tests/t.py",
    "dd": "echo x | dd of=tests/t.py",
    "cp": "cp src/a.py tests/t.py",
    "mv-onto": "cp src/a.py src/b.py; mv src/b.py tests/t.py",
    "mv-away": "mv tests/t.py src/t.py",
    "rm": "rm -f tests/t.py",
    "rm-tree": "rm -rf tests",
    "unlink": "unlink tests/t.py",
    "truncate": "truncate -s 0 tests/t.py",
    "symlink-then-write": "ln -sf ../tests/t.py src/l; echo x > src/l",
    "directory-link": "ln -s ../tests src/d; echo x > src/d/t.py",
    "hard-link-then-write": "ln tests/t.py src/h; echo x > src/h",
    "replace-by-link": "ln -sf /dev/null tests/t.py",
    "python": "python -c \"open('tests/t.py','w').write('x')\"",
    "python-os": "python -c \"import os; os.rename('tests/t.py', 'src/t.py')\"",
    "python-dirfd": "python -c \"import os; d=os.open('tests',os.O_RDONLY); "
    "os.open('t.py', os.O_WRONLY|os.O_TRUNC, dir_fd=d)\"",
    "perl": "perl -e 'open(F,\">tests/t.py\"); print F 1'",
    "script": "printf 'echo x > tests/t.py' > src/s.sh; sh src/s.sh",
    "executable": "printf '#!/bin/sh\\necho x > tests/t.py' > src/s; chmod +x src/s; src/s",
    "from-temp": "printf 'echo x > tests/t.py' > $TMPDIR/s.sh; sh $TMPDIR/s.sh",
    "xargs": "echo tests/t.py | xargs rm",
    "find-exec": "find tests -name t.py -exec sh -c 'echo x > $0' {} \\;",
    "find-delete": "find tests -name t.py -delete",
    "awk": 'awk \'BEGIN { print "x" > "tests/t.py" }\'',
    "ed": "printf '1c\\nx\\n.\\nw\\nq\\n' | ed -s tests/t.py",
    "ex": "ex -sc '%s/original/x/|x' tests/t.py",
    "patch": "printf -- '--- tests/t.py\\n+++ tests/t.py\\n@@ -1 +1 @@\\n-original\\n+x\\n' "
    "| patch -p0",
    "git-apply": "printf -- '--- a/tests/t.py\\n+++ b/tests/t.py\\n@@ -1 +1 @@\\n-original\\n+x\\n'"
    " | git apply",
    "git-checkout": "git rm -q --cached tests/t.py; echo x | git hash-object -w --stdin > src/h; "
    "git update-index --add --cacheinfo 100644,$(cat src/h),tests/t.py; git checkout -- tests/t.py",
    "git-restore": "git rm -q --cached tests/t.py; git commit -qm gone; git restore -s HEAD~1 "
    "tests/t.py; git rm -qf tests/t.py",
    "git-stash": "echo y > src/a.py; git stash; git checkout stash@{0} -- .",
    "git-reset": "git rm -rq --cached .; git commit -qm none; git reset -q --hard",
    "git-worktree": "git worktree add src/w; git --work-tree=. rm -rf tests",
    "tar": "mkdir -p src/tests; echo x > src/tests/t.py; tar -C src -cf src/a.tar tests; "
    "tar -xf src/a.tar",
    "tar-overwrite": "mkdir -p src/tests; echo x > src/tests/t.py; tar -C src -c tests | "
    "tar --overwrite -x",
    "rsync": "mkdir -p src/tests; echo x > src/tests/t.py; rsync -a src/tests/ tests/",
    "install": "install -m 644 src/a.py tests/t.py",
    "split": "printf x | split - tests/t.py",
    "curl": "curl -so tests/t.py file://$PWD/src/a.py",
    "sort-o": "sort -o tests/t.py src/a.py",
    "rename-parent": "mv tests gone; mkdir tests; echo x > tests/t.py",
    "rename-root": "cd ..; mv repo repo2; mkdir -p repo/tests; echo x > repo/tests/t.py",
    "exchange": "python -c \"import ctypes; ctypes.CDLL(None).renameat2(-100, b'src/a.py', -100, "
    "b'tests/t.py', 2)\"",
    "mount-bind": "mkdir -p src/tests; echo x > src/tests/t.py; mount --bind src/tests tests",
    "remount": "mount -o remount,bind,rw / ; mount -o remount,rw / ; echo x > tests/t.py",
    "unmount": "umount -l src tests . / ; echo x > tests/t.py",
    "unshare": "unshare -rm sh -c 'mount -o remount,bind,rw /; mount -o remount,rw /; "
    "echo x > tests/t.py'",
    "unshare-as-root": "unshare -m sh -c 'mount -o remount,bind,rw /; echo x > tests/t.py'",
    "nsenter": 'nsenter -t 1 -m sh -c "echo x > $PWD/tests/t.py"',
    "nsenter-parent": 'nsenter -t $OUTSIDE -m sh -c "echo x > $PWD/tests/t.py"',
    "proc-root": "echo x > /proc/1/root$PWD/tests/t.py",
    "proc-root-outside": "echo x > /proc/$OUTSIDE/root$PWD/tests/t.py",
    "proc-cwd": "echo x > /proc/$OUTSIDE/cwd/tests/t.py",
    "proc-self-cwd": "cd tests; echo x > /proc/self/cwd/t.py",
    "proc-fd": "exec 3< tests/t.py; echo x > /proc/self/fd/3",
    "every-process": "for p in /proc/[0-9]*; do echo x > $p/root$PWD/tests/t.py; "
    "echo x > $p/cwd/tests/t.py; done",
    "process-memory": "python -c \"open('/proc/$OUTSIDE/mem','r+b')\"",
    "ptrace": 'python -c "import ctypes, sys; '
    'sys.exit(ctypes.CDLL(None).ptrace(16, $OUTSIDE, 0, 0) != -1)" || touch src/kernel',
    "chroot": 'chroot / sh -c "echo x > $PWD/tests/t.py"',
    "disk": "for d in $(ls /dev/vd* /dev/sd* /dev/nvme* /dev/dm-*); do "
    "debugfs -w -R 'rm /x' $d; : <> $d && touch src/disk; done",
    "new-device": "mknod src/disk-node b 254 0 && : <> src/disk-node && touch src/disk",
    "core-pattern": "echo '|/bin/true' > /proc/sys/kernel/core_pattern && touch src/kernel",
    "module-path": "echo /tmp/x > /proc/sys/kernel/modprobe && touch src/kernel",
    "background": "setsid sh -c 'sleep 0.2; echo x > tests/t.py' & wait; sleep 0.3",
    "double-fork": "(setsid nohup sh -c 'echo x > tests/t.py' > /dev/null 2>&1 &) ; sleep 0.3",
    "at": 'echo "echo x > $PWD/tests/t.py" | at now; sleep 0.2',
    "cron": 'echo "* * * * * echo x > $PWD/tests/t.py" | crontab -; '
    "echo x > /etc/cron.d/x; echo x > /var/spool/cron/crontabs/root",
    "systemd-run": 'systemd-run --wait sh -c "echo x > $PWD/tests/t.py"; '
    'systemd-run --user --wait sh -c "echo x > $PWD/tests/t.py"',
    "docker": "docker run --rm -v $PWD:/w busybox sh -c 'echo x > /w/tests/t.py'",
    "ssh": 'ssh -o BatchMode=yes -o ConnectTimeout=1 localhost "echo x > $PWD/tests/t.py"',
    "sudo": "sudo -n sh -c 'echo x > tests/t.py'; su -c 'echo x > tests/t.py'",
    "busybox": "busybox sh -c 'echo x > tests/t.py'",
    "node": "node -e \"require('fs').writeFileSync('tests/t.py','x')\"",
    "make": "printf 'all:\\n\\techo x > tests/t.py\\n' > src/Makefile; make -f src/Makefile",
    "io-uring": "fallocate -l 10 tests/t.py; fallocate -p -o 0 -l 5 tests/t.py",
    "copy-file-range": "python -c \"import os; os.copy_file_range(os.open('src/a.py',0), "
    "os.open('tests/t.py', 1), 3)\"",
    "mmap": "python -c \"import mmap; f=open('tests/t.py','r+b'); m=mmap.mmap(f.fileno(),0); "
    "m[0:1]=b'x'\"",
    "shell-startup": 'echo "echo x > $PWD/tests/t.py" >> ~/.bashrc; echo x >> ~/.profile',
    "home-program": "mkdir -p ~/.local/bin && echo x > ~/.local/bin/git",
    "descriptor-to-read": "exec 57< tests/t.py; echo x > /dev/fd/57",
    "stdin-written": "sed p src/a.py > /dev/stdin < tests/t.py",
    "own-directory-moved": "mv src s2; ln -s tests src; echo x > src/t.py",
    "hidden-link": "cp -l tests/t.py src/two; echo x > src/two",
    "descriptor-taken": 'python -c "import ctypes; c = ctypes.CDLL(None).syscall; '
    'fd = c(434, $OUTSIDE, 0); [print(c(438, fd, n, 0)) for n in range(9)]"; '
    "echo x > tests/t.py",
    "open-tree": 'python -c "import ctypes, os; t = ctypes.CDLL(None).syscall(428, -100, '
    "b'tests', 1); t < 0 or os.chdir(t); open('t.py', 'w')\"",
    "overlay": "unshare -Urm sh -c 'mkdir src/u src/w; mount -t overlay o -o lowerdir=tests,"
    "upperdir=src/u,workdir=src/w tests'; echo x > tests/t.py",
    "other-index": "git read-tree HEAD; GIT_INDEX_FILE=src/i git read-tree HEAD; "
    "rm -f tests/t.py; GIT_INDEX_FILE=src/i git checkout-index -f -a",
    "git-trace": "GIT_TRACE=$PWD/tests/t.py git status",
    "git-bisect": "git bisect start HEAD HEAD; git bisect run sh -c 'echo x > tests/t.py'; "
    "git bisect reset",
    "git-editor": "GIT_EDITOR='sh -c \"echo x > tests/t.py\"' git commit --amend",
    "loader": "/lib64/ld-linux-x86-64.so.2 /bin/sh -c 'echo x > tests/t.py'",
    "history": "bash -ic 'history -s x; history -w tests/t.py'",
    "temp-link": "ln -s $PWD/tests $TMPDIR/l; echo x > $TMPDIR/l/t.py",
}

OF_MODES = ("chmod 777 tests/t.py", "touch -m -d 2001-01-01 tests/t.py", "chmod 0 tests",
            "setfacl -m u:1:rwx tests/t.py", ("python -c \"import os; os.setxattr("
            "'tests/t.py', 'user.x', b'1')\""))  # fmt: skip


@pytest.fixture
def outside(project: Project) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(["sleep", "600"], cwd=project.root)


def state(project: Project) -> tuple[object, ...]:
    """Return what must be the same afterwards: content, mode, identity and time."""
    found = (project.root / "tests/t.py").stat()
    return (
        (project.root / "tests/t.py").read_text(),
        sorted(each.name for each in (project.root / "tests").iterdir()),
        (project.root / "tests").is_symlink(),
        (found.st_mode, found.st_uid, found.st_ino, found.st_size, found.st_nlink),
        (project.root / "tests").stat().st_mode,
    )


@pytest.mark.parametrize("name", ATTACKS)
def test_the_file_is_as_it_was(
    project: Project, outside: "subprocess.Popen[bytes]", name: str
) -> None:
    project.env = {"OUTSIDE": str(outside.pid)}
    before = state(project)
    home = sorted(str(path) for path in project.home.rglob("*"))
    try:
        done = project(f"echo ran > src/ran; {ATTACKS[name]}")
    finally:
        outside.kill()
        outside.wait()
    assert (project.root / "src/ran").read_text() == "ran\n", done.stderr
    assert state(project) == before
    assert not (project.root / "src/disk").exists()
    assert not (project.root / "src/kernel").exists()
    assert sorted(str(path) for path in project.home.rglob("*")) == home


@pytest.mark.parametrize("text", OF_MODES)
def test_modes_and_times_are_as_they_were(project: Project, text: str) -> None:
    if project.seam.mechanism == "landlock":
        pytest.skip("Landlock has no right for modes and times: the plan says so")
    file = project.root / "tests/t.py"
    before = (file.stat().st_mode, file.stat().st_mtime_ns, file.stat().st_ctime_ns)
    project(text)
    after = file.stat()
    assert (after.st_mode, after.st_mtime_ns, after.st_ctime_ns) == before
    assert (project.root / "tests").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    "text",
    [
        "echo x > src/new.py", "mkdir -p src/deep/er && touch src/deep/er/f", "rm src/a.py",
        "sed -i s/1/2/ src/a.py", "mv src/a.py src/b.py", "chmod +x src/a.py", "ln -s a.py src/l",
        "ln src/a.py src/h", "mkfifo src/p", "mkdir src/d && cp src/a.py src/d && rm -r src/d",
        "mkdir src/d && mv src/a.py src/d/a.py", "truncate -s 0 src/a.py",
        "python -m compileall -q src", "echo x > $TMPDIR/f && mv $TMPDIR/f src/f",
        "cat <<< here > src/h", "diff <(echo a) <(echo a)", "git status --short",
        "git add src && git commit -q --allow-empty -m m", "git checkout -q -b other",
        "git tag v1 && git tag -d v1", "git stash list", "git gc -q", "git log --oneline",
        "echo x > /dev/null", "echo x > /dev/shm/pointsman-test && rm /dev/shm/pointsman-test",
        "python -c 'import multiprocessing as m; m.Lock()'",
        "script -qc 'echo pty' /dev/null", "python -c 'import pty; pty.openpty()'",
    ],
)  # fmt: skip
def test_what_is_in_scope_works(project: Project, text: str) -> None:
    done = project(text)
    assert done.returncode == 0, done.stderr


GIT_ATTACKS = (
    "echo x > .git/hooks/post-commit", "mkdir -p .git/hooks && cp src/a.py .git/hooks/pre-push",
    "rm -rf .git/hooks", "mv .git/hooks .git/h; mkdir .git/hooks; echo x > .git/hooks/post-commit",
    "git config core.hooksPath src", "git config core.fsmonitor src/x",
    "git config alias.st '!src/x'", "echo '[core]' >> .git/config",
    "rm -f .git/config; echo x > .git/config", "cp src/a.py .git/c && mv .git/c .git/config",
    "mv .git .git2; cp -r .git2 .git; echo x > .git/hooks/post-commit",
    "sed -i s/bare/x/ .git/config", "git remote add evil ext::x",
    "ln -sf ../src .git/hooks", "git init --template=src -q .",
    "git config --global core.fsmonitor x", "chmod +x .git/hooks/*.sample",
)  # fmt: skip


@pytest.mark.parametrize("text", GIT_ATTACKS)
def test_git_is_led_to_no_other_program(project: Project, text: str) -> None:
    if project.seam.mechanism == "landlock":
        pytest.skip("Landlock cannot except names below the writable .git: the plan says so")
    (project.root / ".git/hooks/a.sample").touch(mode=0o644)
    store = project.root / ".git"

    def found() -> object:
        hooks = {path: path.stat().st_mode for path in sorted((store / "hooks").iterdir())}
        config = (store / "config").read_bytes(), (project.home / ".gitconfig").read_bytes()
        return hooks, config, (store / "hooks").is_symlink()

    before = found()
    project(f"echo ran > src/ran; {text}")
    assert (project.root / "src/ran").exists()
    assert found() == before
    assert project("git commit -q --allow-empty -m after", free=True).returncode == 0


def test_a_socket_that_carries_things_out_is_not_reached(project: Project) -> None:
    if project.seam.mechanism == "landlock":
        pytest.skip("Landlock cannot hide a socket: the plan says so")
    path = project.home / "daemon.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1)
    project.kept = (str(path),)
    text = f"python -c \"import socket; socket.socket(socket.AF_UNIX).connect('{path}')\""
    try:
        held, free = project(text), project(text, free=True)
    finally:
        listener.close()
    assert held.returncode != 0
    assert free.returncode == 0


def test_a_terminal_outside_gets_no_keys(project: Project) -> None:
    """A tmux server of a person's: what is asked of it is carried out outside."""
    if project.seam.mechanism == "landlock":
        pytest.skip("Landlock cannot hide a socket: the plan says so")
    tmux = shutil.which("tmux")
    if tmux is None:
        pytest.skip("there is no tmux")
    project.env = {"TMUX_TMPDIR": str(project.temp), "SHELL": "/bin/sh"}
    text = f"tmux send-keys -t person 'echo x > {project.root}/tests/t.py' Enter"
    assert project("tmux -f /dev/null new-session -d -s person", free=True).returncode == 0
    try:
        assert project(text).returncode != 0
        assert (project.root / "tests/t.py").read_text() == "original\n"
        assert project(text, free=True).returncode == 0
        until = time.monotonic() + 30
        while (project.root / "tests/t.py").read_text() != "x\n" and time.monotonic() < until:
            time.sleep(0.05)
        assert (project.root / "tests/t.py").read_text() == "x\n"
    finally:
        project("tmux kill-server", free=True)


def test_keys_cannot_be_put_into_the_terminal(project: Project) -> None:
    text = (
        "import fcntl, pty, sys, os, termios\n"
        "pid, fd = pty.fork()\n"
        "if pid: sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
        "for number in (termios.TIOCSTI, 0x541C):\n"
        "    try: fcntl.ioctl(0, number, b'x')\n"
        "    except PermissionError: continue\n"
        "    except OSError: os._exit(4)\n"
        "    os._exit(3)\n"
        "os._exit(0)\n"
    )
    assert project(f'python -c "{text}"').returncode == 0


def test_what_was_opened_before_leads_nowhere(project: Project) -> None:
    folder = os.open(project.root, os.O_RDONLY)
    os.set_inheritable(folder, True)
    text = f"import os; os.open('tests/t.py', os.O_WRONLY | os.O_TRUNC, dir_fd={folder})"
    try:
        done = project(f'python -c "{text}"', pass_fds=[folder])
    finally:
        os.close(folder)
    assert done.returncode != 0
    assert (project.root / "tests/t.py").read_text() == "original\n"


def test_the_network_is_open_unless_the_contract_closes_it(project: Project) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[socket.socket] = []
    waiting = threading.Thread(target=lambda: accepted.append(listener.accept()[0]))
    waiting.start()
    port = listener.getsockname()[1]
    text = f"python -c \"import socket; socket.create_connection(('127.0.0.1', {port}))\""
    project.network = False
    assert project(text).returncode != 0
    project.network = True
    assert project(text).returncode == 0
    waiting.join()
    accepted[0].close()
    listener.close()


def test_a_repository_in_the_temporary_directory_is_none(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = str(project.root.parent)
    monkeypatch.setattr("pointsman.sandbox.caches.TEMPORARY", (wide, "/dev/shm"))
    done = project("echo x > src/new; echo x > tests/t.py; cd ..; mv repo r; mkdir -p repo/tests")
    assert (project.root / "src/new").exists(), done.stderr
    assert (project.root / "tests/t.py").read_text() == "original\n"


def test_a_plan_that_a_link_has_changed_is_not_followed(project: Project) -> None:
    words = project.words()
    shutil.rmtree(project.root / "src")
    (project.root / "src").symlink_to("tests")
    done = subprocess.run(
        [*words, "bash", "-c", "echo x > tests/t.py"],
        cwd=project.root, env=project.environ(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 126
    assert f"{project.root}/src" in done.stderr
    assert (project.root / "tests/t.py").read_text() == "original\n"


SOME = ("redirect", "rename-parent", "remount", "unshare", "proc-root-outside", "disk", "ptrace")


@pytest.mark.parametrize("name", SOME)
def test_bubblewrap_that_stays_holds_as_well(
    project: Project, outside: "subprocess.Popen[bytes]", name: str
) -> None:
    """Where it cannot be joined: a signal to it alone is lost, and nothing else."""
    if project.seam.mechanism == "landlock":
        outside.kill()
        outside.wait()
        pytest.skip("this is about bubblewrap")
    project.seam = replace(project.seam, stays=True, new_user=True)
    project.env = {"OUTSIDE": str(outside.pid)}
    before = state(project)
    try:
        done = project(f"echo ran > src/ran; echo x > .git/config; {ATTACKS[name]}")
    finally:
        outside.kill()
        outside.wait()
    assert (project.root / "src/ran").exists(), done.stderr
    assert state(project) == before
    assert "[core]" in (project.root / ".git/config").read_text()
    assert not (project.root / "src/disk").exists()
    assert not (project.root / "src/kernel").exists()
    assert project("exit 7").returncode == 7
    assert any("stays above the command" in each for each in project.prefix().limits)


def test_a_working_directory_that_is_gone(project: Project, tmp_path: Path) -> None:
    if project.seam.mechanism == "landlock":
        pytest.skip("Landlock leaves the working directory as it is")
    gone = project.root / "gone"
    gone.mkdir()
    words = " ".join(f"'{word}'" for word in project.words())
    done = subprocess.run(
        ["sh", "-c", f"rmdir {gone}; {words} echo no"],
        cwd=gone, env=project.environ(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (126, "")
    assert "the working directory is gone" in done.stderr


@pytest.mark.parametrize("inside", [True, False])
def test_from_a_linked_worktree_the_main_one_is_not_written(
    project: Project, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    """Both may lie in a directory of temporary files, and one in the other."""
    main = project.root
    linked = main / ".claude/worktrees/w" if inside else main.parent / "linked"
    assert project(f"git worktree add -q -b w {linked}", free=True).returncode == 0
    monkeypatch.setattr("pointsman.sandbox.caches.TEMPORARY", (str(main.parent), "/dev/shm"))
    project.root = linked
    done = project(
        f"echo x > src/new; echo x > tests/t.py; echo x > {main}/tests/t.py; echo x > {main}/src/y"
        "; git add -A src && git -c user.name=a -c user.email=a@b commit -qm w"
    )
    assert done.returncode == 0, done.stderr
    assert (linked / "src/new").exists()
    for tree in (main, linked):
        assert (tree / "tests/t.py").read_text() == "original\n"
    assert not (main / "src/y").exists()
