"""What holds a command, in pure Python: twin of held.h, where each step is explained.

Whatever cannot be done raises ``NotHeld``: a command that is not held is not run.
"""

import _signal as signal  # type: ignore[import-not-found]  # signal.py would load enum and re
import os
import select
import stat
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes

HELD_DEADLINE = 10.0
_HOLDER = ("/bin/sh", "-c", 'echo "PMH1 $$"; read line')
"""Says who it is and keeps the view open until we have joined; another Python would cost more."""
MOST_SAID = 600
OPEN_TREE, MOVE_MOUNT, OPENAT2, MOUNT_SETATTR = 428, 429, 437, 442
LL_CREATE, LL_ADD, LL_RESTRICT = 444, 445, 446
NO_SYMLINKS, READ_ONLY, NO_DEVICES = 4, 1, 4
TREE_FLAGS = 1 | os.O_CLOEXEC | 0x8000 | 0x1000
RECURSIVE, MOVE_EMPTY = 0x9000, 0x44
NEW_USER, NEW_NET, NEW_MOUNTS = 0x10000000, 0x40000000, 0x00020000
LL_FILE = 1 << 1 | 1 << 14
LL_DIRECTORY = 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 13
LL_DEVICES = 1 << 6 | 1 << 11
LL_REFER, LL_TRUNCATE, LL_MAKE_BLOCK, LL_TCP, LL_ABSTRACT = 1 << 13, 1 << 14, 1 << 11, 3, 1
KEPT_POWERS = (0, 1, 3, 4, 5, 6, 7, 10, 13, 14, 23, 28, 29)
"""What is left of root's powers; why is said in held.h."""


class NotHeld(Exception):
    """Why a command cannot be held to its contract."""


def hold(words: list[str]) -> list[str]:
    """Apply what the words ask for; return the command that they stand before."""
    if words.count("--") < (2 if words[0] == "--join" else 1):
        raise NotHeld("the words that hold it are cut short")
    end = words.index("--")
    rules, rest = words[1:end], words[end + 1 :]
    try:
        if words[0] == "--landlock":
            _hold_by_landlock(rules)
            return rest
        end = rest.index("--")
        _hold_by_bubblewrap(rules, rest[:end])
    except OSError as error:
        raise NotHeld(str(error)) from None
    return rest[end + 1 :]


# --- system calls ---------------------------------------------------------------------------------

_libc: "ctypes.CDLL | None" = None


def _call(number: int, *arguments: "int | bytes | str | None") -> int:
    """Make a system call of these numbers; bytes are handed over as the memory they are in."""
    import ctypes

    global _libc  # noqa: PLW0603 - loaded once, and only where it is needed
    if _libc is None:
        _libc = ctypes.CDLL(None, use_errno=True)
        _libc.syscall.restype = ctypes.c_long
    given = [
        ctypes.c_char_p(os.fsencode(each)) if isinstance(each, (bytes, str)) else each
        for each in arguments
    ]
    made = [ctypes.c_long(each) if isinstance(each, int) else each for each in given]
    result = int(_libc.syscall(ctypes.c_long(number), *made))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def _libc_call(name: str, *arguments: "int | bytes") -> int:
    import ctypes

    _call(_NUMBERS[os.uname().machine][0])  # Whatever comes first loads the library.
    assert _libc is not None  # noqa: S101 - for the type checker
    function = getattr(_libc, name)
    made = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = int(function(*made))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


_NUMBERS = {
    # getpid, capget, capset, ioctl, seccomp, our architecture and the other one, their numbers
    "x86_64": (39, 125, 126, 16, 317, 0xC000003E, 0x40000003, 0x40000000 + 514),
    "aarch64": (172, 90, 91, 29, 277, 0xC00000B7, 0x40000028, 29),
}


def _u64(*values: int) -> bytes:
    return b"".join(each.to_bytes(8, sys.byteorder) for each in values)


def _u32(*values: int) -> bytes:
    return b"".join(each.to_bytes(4, sys.byteorder) for each in values)


# --- the view ------------------------------------------------------------------------------------


def _open_path(path: str) -> int:
    how = _u64(os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW, 0, NO_SYMLINKS)
    try:
        descriptor = _call(OPENAT2, -100, path, how, len(how))
    except (FileNotFoundError, NotADirectoryError):
        return -1  # Gone since the plan was made: nothing to allow or to keep.
    except OSError as error:
        raise NotHeld(f"{path}: {error.strerror}") from None
    if stat.S_ISLNK(os.fstat(descriptor).st_mode):
        raise NotHeld(f"{path} is a link now")
    return descriptor


def _put_over(source: str, target: int, kind: str) -> None:
    added = {"+": 0, "~": READ_ONLY | NO_DEVICES}.get(kind, READ_ONLY)
    tree = _call(OPEN_TREE, -100 if source else target, source, TREE_FLAGS)
    attributes = _u64(added, READ_ONLY if kind == "+" else 0, 0, 0)
    _call(MOUNT_SETATTR, tree, b"", RECURSIVE, attributes, len(attributes))
    _call(MOVE_MOUNT, tree, b"", target, b"", MOVE_EMPTY)
    os.close(tree)


def _apply_rule(rule: str) -> None:
    if rule[:1] not in {"+", "-", "~", "!"} or rule[1:2] != "/":
        raise NotHeld(f"{rule} is no rule")
    target = _open_path(rule[1:])
    if target < 0:
        return
    try:
        if rule[0] != "!":
            _put_over("", target, rule[0])
        elif stat.S_ISDIR(os.fstat(target).st_mode):
            place = f"/proc/self/fd/{target}".encode()
            _libc_call("mount", b"none", place, b"tmpfs", 2 | 4, b"mode=700,size=16m")
        else:
            _put_over("/dev/null", target, "-")
    except OSError as error:
        raise NotHeld(f"{rule[1:]} cannot be bound: {error.strerror}") from None
    os.close(target)


def _cwd() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""


def _hold_by_bubblewrap(rules: list[str], view: list[str]) -> None:
    cwd = _cwd()
    if not cwd.startswith("/"):
        raise NotHeld("the working directory is gone: cd to one that exists")
    if not view or not view[0].startswith("/"):
        raise NotHeld("there is no program to build a view")
    builder, keep, said = _start_view(view)
    holder = _wait_for_view(said)
    own_user = _enter(holder, "user", NEW_USER)
    _enter(holder, "net", NEW_NET)
    if not _enter(holder, "mnt", NEW_MOUNTS):
        raise NotHeld("bubblewrap built no view")
    for rule in rules:
        _apply_rule(rule)
    os.close(keep)
    os.close(said)
    os.waitpid(builder, 0)
    os.chdir(cwd)
    _close_directories()
    _give_up_privileges()
    _drop_powers(keep=not own_user)
    _close_off()
    _refuse_keys()


def _start_view(view: list[str]) -> tuple[int, int, int]:
    keep_read, keep = os.pipe()
    said, say = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            os.dup2(keep_read, 0)
            os.dup2(say, 1)
            os.dup2(say, 2)
            os.execve(view[0], [*view, "--", *_HOLDER], {"PATH": "/usr/bin:/bin"})
        except OSError as error:
            os.write(1, f"{view[0]}: {error}".encode())
        os._exit(127)
    os.close(keep_read)
    os.close(say)
    return pid, keep, said


def _wait_for_view(said: int) -> int:
    text = b""
    until = time.monotonic() + HELD_DEADLINE
    while len(text) < MOST_SAID:
        if not select.select([said], [], [], max(0.0, until - time.monotonic()))[0]:
            raise NotHeld("bubblewrap: it did not answer")
        data = os.read(said, MOST_SAID)
        text += data
        _, found, after = text.partition(b"PMH1 ")
        number = after.partition(b"\n")[0]
        if found and b"\n" in after and number.isdigit():
            return int(number)
        if not data:
            break
    words = " ".join(text.decode("utf-8", "replace").split())
    raise NotHeld(f"bubblewrap: {words or 'it said nothing'}")


def _enter(pid: int, kind: str, number: int) -> bool:
    path = f"/proc/{pid}/ns/{kind}"
    descriptor = os.open(path, os.O_RDONLY)
    try:
        theirs, ours = os.fstat(descriptor), os.stat(f"/proc/self/ns/{kind}")
        if os.path.samestat(theirs, ours):
            return False
        _libc_call("setns", descriptor, number)
    except OSError as error:
        raise NotHeld(f"{path} cannot be joined: {error.strerror}") from None
    finally:
        os.close(descriptor)
    return True


def _close_directories() -> None:
    """Keep the command from what was opened before: it leads to the file system outside."""
    for name in os.listdir("/proc/self/fd"):
        try:
            is_directory = stat.S_ISDIR(os.fstat(int(name)).st_mode)
        except OSError:
            continue
        if is_directory and int(name) <= 2:
            raise NotHeld(f"descriptor {name} is a directory outside of its view")
        if is_directory:
            os.set_inheritable(int(name), False)


# --- powers --------------------------------------------------------------------------------------


def _give_up_privileges() -> None:
    _libc_call("prctl", 38, 1, 0, 0, 0)


def _drop_powers(*, keep: bool) -> None:
    numbers = _NUMBERS.get(os.uname().machine)
    if numbers is None:
        raise NotHeld(f"the system calls of {os.uname().machine} are not known")
    import ctypes

    head = _u32(0x20080522, 0)
    now = ctypes.create_string_buffer(24)
    address = ctypes.addressof(now)
    _call(numbers[1], head, address)
    _libc_call("prctl", 47, 4, 0, 0, 0)
    kept = KEPT_POWERS if keep else ()
    for power in range(64):
        try:
            held = _libc_call("prctl", 23, power, 0, 0, 0)
        except OSError:
            break
        if held and power not in kept:
            try:
                _libc_call("prctl", 24, power, 0, 0, 0)
            except PermissionError:
                continue  # Whoever may not has no powers, and now never gets any.
    mask = sum(1 << power for power in kept)
    words = [int.from_bytes(now.raw[at : at + 4], sys.byteorder) for at in range(0, 24, 4)]
    low, high = mask & 0xFFFFFFFF, mask >> 32
    data = _u32(words[0] & low, words[1] & low, 0, words[3] & high, words[4] & high, 0)
    _call(numbers[2], head, data)


def _refuse_keys() -> None:
    """Refuse TIOCSTI and TIOCLINUX, which put keys into a terminal."""
    numbers = _NUMBERS[os.uname().machine]
    import ctypes

    _, _, _, ioctl, seccomp, ours, other, x32 = numbers
    load, equal, give = 0x20, 0x15, 0x06
    rows = (
        (load, 0, 0, 4), (equal, 0, 2, other), (load, 0, 0, 0), (equal, 4, 7, 54),
        (equal, 0, 6, ours), (load, 0, 0, 0), (equal, 1, 0, ioctl), (equal, 0, 3, x32),
        (load, 0, 0, 24), (equal, 2, 0, 0x5412), (equal, 1, 0, 0x541C),
        (give, 0, 0, 0x7FFF0000), (give, 0, 0, 0x00050001),
    )  # fmt: skip
    code = b"".join(
        row[0].to_bytes(2, sys.byteorder) + bytes(row[1:3]) + row[3].to_bytes(4, sys.byteorder)
        for row in rows
    )
    held = ctypes.create_string_buffer(code, len(code))
    program = _u64(len(rows), ctypes.addressof(held))
    try:
        _call(seccomp, 1, 4, program)
    except OSError as error:
        if error.errno not in (22, 38):
            raise


def _close_off() -> None:
    """Enter a domain of its own: no process outside can be traced or looked into."""
    abi = _landlock_abi()
    files = LL_MAKE_BLOCK if 0 < abi < 6 and os.geteuid() == 0 else 0
    scoped = LL_ABSTRACT if abi >= 6 else 0
    if files or scoped:
        _call(LL_RESTRICT, _ruleset(files, 0, scoped), 0)


# --- Landlock alone ------------------------------------------------------------------------------


def _landlock_abi() -> int:
    try:
        return _call(LL_CREATE, None, 0, 1)
    except OSError:
        return 0


def _ruleset(files: int, network: int, scoped: int) -> int:
    wanted = _u64(files, network, scoped)
    return _call(LL_CREATE, wanted, len(wanted), 0)


def _hold_by_landlock(rules: list[str]) -> None:
    abi = _landlock_abi()
    if not abi:
        raise NotHeld("this kernel has no Landlock")
    closed = rules[:1] == ["no-network"]
    if closed and abi < 4:
        raise NotHeld(f"Landlock {abi} cannot close the network")
    files = LL_FILE | LL_DIRECTORY | LL_DEVICES
    files &= ~((LL_REFER if abi < 2 else 0) | (LL_TRUNCATE if abi < 3 else 0))
    ruleset = _ruleset(files, LL_TCP if closed else 0, LL_ABSTRACT if abi >= 6 else 0)
    for rule in rules[closed:]:
        if rule[:2] != "+/":
            raise NotHeld(f"{rule} is no rule")
        target = _open_path(rule[1:])
        if target < 0:
            continue
        is_directory = stat.S_ISDIR(os.fstat(target).st_mode)
        allowed = (LL_FILE | LL_DIRECTORY if is_directory else LL_FILE) & files
        beneath = _u64(allowed) + _u32(target)
        _call(LL_ADD, ruleset, 1, beneath, 0)
        os.close(target)
    _give_up_privileges()
    _drop_powers(keep=True)
    _call(LL_RESTRICT, ruleset, 0)
    os.close(ruleset)
    _refuse_keys()
