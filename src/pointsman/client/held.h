/* What holds a command: the file system as the contract has it, and what undoes no mount.
 *
 * `--join` enters the view that bubblewrap has built, `--landlock` stays in this one and gives up
 * rights. Both end in the command itself. Whatever cannot be done ends in `not_held`: a command
 * that is not held is not run. The twin in Python is exec.py.
 */
#include <dirent.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Numbers and structures that are the same on every architecture, so that an older libc will do. */
enum {
    NR_OPEN_TREE = 428, NR_MOVE_MOUNT = 429, NR_OPENAT2 = 437, NR_MOUNT_SETATTR = 442,
    NR_LL_CREATE = 444, NR_LL_ADD = 445, NR_LL_RESTRICT = 446
};
struct how { uint64_t flags, mode, resolve; };
struct attributes { uint64_t set, clear, propagation, user; };
struct ruleset { uint64_t files, network, scoped; };
struct beneath { uint64_t allowed; int32_t parent; } __attribute__((packed));
#define NO_SYMLINKS 0x04
#define TREE_CLONE 1
#define TREE_CLOEXEC O_CLOEXEC
#define TREE_RECURSIVE 0x8000
#define EMPTY_PATH 0x1000
#define MOVE_EMPTY 0x44 /* Both ends are given as descriptors. */
#define READ_ONLY 1
#define NO_DEVICES 4

/* Landlock's rights to files, by their bit: what a plain file can have, and what a directory. */
#define LL_FILE ((uint64_t)(1 << 1 | 1 << 14))
#define LL_DIRECTORY ((uint64_t)(1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 13))
#define LL_DEVICES ((uint64_t)(1 << 6 | 1 << 11))
#define LL_REFER ((uint64_t)(1 << 13))
#define LL_TRUNCATE ((uint64_t)(1 << 14))
#define LL_MAKE_BLOCK ((uint64_t)(1 << 11))
#define LL_TCP ((uint64_t)3)
#define LL_ABSTRACT ((uint64_t)1)

/* What is left of root's powers: owners, modes, users, low ports, priorities. What it loses can
 * change mounts, load code into the kernel, make devices, or look into processes outside. */
static const int KEPT_POWERS[] = {0, 1, 3, 4, 5, 6, 7, 10, 13, 14, 23, 28, 29, -1};
#define HELD_DEADLINE_MS 10000
#define MOST_SAID 600

static int state_fd = -1;

__attribute__((noreturn, format(printf, 1, 2))) static void not_held(const char *form, ...) {
    char reason[900];
    va_list rest;
    va_start(rest, form);
    vsnprintf(reason, sizeof reason, form, rest);
    va_end(rest);
    in_state = state_fd >= 0 && fchdir(state_fd) == 0;
    fail(DOCTOR, "the command cannot be held to its contract: %s", reason);
}

/* Without following a link: the path was canonical when the plan was made, and must still be. */
static int open_path(const char *path) {
    struct how how = {.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW, .resolve = NO_SYMLINKS};
    int fd = (int)syscall(NR_OPENAT2, AT_FDCWD, path, &how, sizeof how);
    if (fd < 0 && errno != ENOENT && errno != ENOTDIR) not_held("%.300s: %s", path, strerror(errno));
    struct stat found;
    if (fd >= 0 && (fstat(fd, &found) != 0 || S_ISLNK(found.st_mode)))
        not_held("%.300s is a link now", path);
    return fd;
}

static void put_over(const char *source, int target, const char *path, char kind) {
    struct attributes attributes = {.set = kind == '+' ? 0 : kind == '~' ? READ_ONLY | NO_DEVICES : READ_ONLY,
                                    .clear = kind == '+' ? READ_ONLY : 0};
    int from = source == NULL ? target : AT_FDCWD;
    long flags = TREE_CLONE | TREE_CLOEXEC | TREE_RECURSIVE | EMPTY_PATH;
    int tree = (int)syscall(NR_OPEN_TREE, from, source == NULL ? "" : source, flags);
    if (tree < 0) not_held("%.300s cannot be bound: %s", path, strerror(errno));
    if (syscall(NR_MOUNT_SETATTR, tree, "", (long)(EMPTY_PATH | TREE_RECURSIVE), &attributes,
                sizeof attributes) != 0 ||
        syscall(NR_MOVE_MOUNT, tree, "", target, "", (long)MOVE_EMPTY) != 0)
        not_held("%.300s cannot be bound: %s", path, strerror(errno));
    close(tree);
}

static void hide(int target, const char *path) {
    struct stat found;
    char self[64];
    if (fstat(target, &found) != 0) not_held("%.300s: %s", path, strerror(errno));
    if (!S_ISDIR(found.st_mode)) {
        put_over("/dev/null", target, path, '-');
        return;
    }
    snprintf(self, sizeof self, "/proc/self/fd/%d", target);
    if (mount("none", self, "tmpfs", MS_NOSUID | MS_NODEV, "mode=700,size=16m") != 0)
        not_held("%.300s cannot be hidden: %s", path, strerror(errno));
}

/* RULE is + (may be written), - (may not), ~ (nor used as a device) or ! (is hidden), and a path;
 * what lies deeper is later. */
static void apply_rule(const char *rule) {
    const char *path = rule + 1;
    if (rule[0] == '\0' || strchr("+-~!", rule[0]) == NULL || path[0] != '/')
        not_held("%.300s is no rule", rule);
    int target = open_path(path);
    if (target < 0) return; /* Gone since the plan was made: nothing to allow or to keep. */
    if (rule[0] == '!') hide(target, path);
    else put_over(NULL, target, path, rule[0]);
    close(target);
}

/* --- powers -------------------------------------------------------------------------------- */

static int is_kept(int power) {
    for (const int *each = KEPT_POWERS; *each >= 0; each++)
        if (*each == power) return 1;
    return 0;
}

/* In a user namespace of our own nothing is kept: its root could undo every mount in it. */
static void drop_powers(int keep) {
    struct { uint32_t version; int pid; } head = {0x20080522, 0};
    struct { uint32_t effective, permitted, inheritable; } now[2] = {{0, 0, 0}, {0, 0, 0}};
    if (syscall(SYS_capget, &head, now) != 0) not_held("capabilities: %s", strerror(errno));
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (int power = 0; prctl(PR_CAPBSET_READ, power, 0, 0, 0) >= 0; power++) {
        if ((keep && is_kept(power)) || prctl(PR_CAPBSET_READ, power, 0, 0, 0) == 0) continue;
        /* Whoever may not drop it has no powers, and with no new privileges never gets any. */
        if (prctl(PR_CAPBSET_DROP, power, 0, 0, 0) != 0 && errno != EPERM)
            not_held("capability %d: %s", power, strerror(errno));
    }
    for (int power = 0; power < 64; power++) {
        uint32_t bit = (uint32_t)1 << (power % 32);
        if (keep && is_kept(power)) continue;
        now[power / 32].effective &= ~bit;
        now[power / 32].permitted &= ~bit;
    }
    now[0].inheritable = now[1].inheritable = 0;
    if (syscall(SYS_capset, &head, now) != 0) not_held("capabilities: %s", strerror(errno));
}

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#define OTHER_ARCH AUDIT_ARCH_I386
#define OTHER_IOCTL 54
#define X32_IOCTL (0x40000000 + 514)
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#define OTHER_ARCH AUDIT_ARCH_ARM
#define OTHER_IOCTL 54
#define X32_IOCTL SYS_ioctl
#endif

/* Keys must not be put into a terminal that a person's shell reads: TIOCSTI, and TIOCLINUX's paste. */
static void refuse_keys(void) {
#ifdef OUR_ARCH
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OTHER_ARCH, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OTHER_IOCTL, 4, 7),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 0, 6),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, X32_IOCTL, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCSTI, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCLINUX, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    /* A kernel without filters has no such hold to lose. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) != 0 &&
        errno != ENOSYS && errno != EINVAL)
        not_held("seccomp: %s", strerror(errno));
#endif
}

static int landlock_abi(void) {
    long abi = syscall(NR_LL_CREATE, NULL, 0L, 1L);
    return abi > 0 ? (int)abi : 0;
}

static int new_ruleset(struct ruleset *wanted) {
    int fd = (int)syscall(NR_LL_CREATE, wanted, sizeof *wanted, 0L);
    if (fd < 0) not_held("Landlock: %s", strerror(errno));
    return fd;
}

static void restrict_by(int ruleset) {
    if (syscall(NR_LL_RESTRICT, ruleset, 0L) != 0) not_held("Landlock: %s", strerror(errno));
    close(ruleset);
}

static void give_up_privileges(void) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) not_held("no new privileges: %s", strerror(errno));
}

/* A domain of its own: no process outside can be traced, and so no /proc/PID/root entered. */
static void close_off(int root) {
    int abi = landlock_abi();
    struct ruleset wanted = {.scoped = abi >= 6 ? LL_ABSTRACT : 0};
    /* Before scopes came there is no ruleset without a right, and one to files forbids mounts. */
    if (abi < 6 && root) wanted.files = LL_MAKE_BLOCK;
    if (abi > 0 && (wanted.scoped | wanted.files) != 0) restrict_by(new_ruleset(&wanted));
}

/* --- Landlock alone ------------------------------------------------------------------------ */

static void allow(int ruleset, const char *rule, uint64_t handled) {
    struct stat found;
    int fd = open_path(rule + 1);
    if (fd < 0) return;
    if (fstat(fd, &found) != 0) not_held("%.300s: %s", rule, strerror(errno));
    struct beneath beneath = {.allowed = LL_FILE, .parent = fd};
    if (S_ISDIR(found.st_mode)) beneath.allowed |= LL_DIRECTORY;
    beneath.allowed &= handled;
    if (syscall(NR_LL_ADD, ruleset, 1L, &beneath, 0L) != 0) not_held("%.300s: %s", rule, strerror(errno));
    close(fd);
}

static void hold_by_landlock(char **words) {
    int abi = landlock_abi(), closed = 0;
    if (abi == 0) not_held("this kernel has no Landlock");
    struct ruleset wanted = {.files = LL_FILE | LL_DIRECTORY | LL_DEVICES};
    if (*words != NULL && strcmp(*words, "no-network") == 0) closed = 1, words++;
    if (abi < 2) wanted.files &= ~LL_REFER;
    if (abi < 3) wanted.files &= ~LL_TRUNCATE;
    if (closed && abi < 4) not_held("Landlock %d cannot close the network", abi);
    if (closed) wanted.network = LL_TCP;
    if (abi >= 6) wanted.scoped = LL_ABSTRACT;
    int ruleset = new_ruleset(&wanted);
    for (; *words != NULL; words++) {
        if ((*words)[0] != '+' || (*words)[1] != '/') not_held("%.300s is no rule", *words);
        allow(ruleset, *words, wanted.files);
    }
    give_up_privileges();
    drop_powers(1);
    restrict_by(ruleset);
    refuse_keys();
}

/* --- bubblewrap's view --------------------------------------------------------------------- */

static int held_left_ms(int64_t until) {
    int64_t left = until - now_ms();
    return left > 0 ? (int)left : 0;
}

/* Inside the view: say who we are, and keep it open until the other end has joined. */
static int hold(void) {
    char text[64];
    int n = snprintf(text, sizeof text, "PMH1 %ld\n", (long)getpid());
    if (write_all(1, text, (size_t)n) != 0) return 1;
    while (read(0, text, sizeof text) < 0 && errno == EINTR) continue;
    return 0;
}

/* bubblewrap gets no variable: what the command's own lead to must not run outside its view. */
static pid_t start_view(char **view, char **self, int *keep, int *said) {
    static char *const bare[] = {"PATH=/usr/bin:/bin", NULL};
    int in[2], out[2];
    size_t size = 0, own = 0;
    while (view[size] != NULL) size++;
    while (self[own] != NULL) own++;
    char **words = calloc(size + own + 3, sizeof *words);
    if (words == NULL) not_held("no memory");
    memcpy(words, view, size * sizeof *words);
    words[size] = "--";
    memcpy(words + size + 1, self, own * sizeof *words);
    words[size + own + 1] = "--hold";
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) not_held("no pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid < 0) not_held("no process can be started: %s", strerror(errno));
    if (pid == 0) {
        int into = fcntl(in[0], F_DUPFD_CLOEXEC, 3), from = fcntl(out[1], F_DUPFD_CLOEXEC, 3);
        signal(SIGPIPE, SIG_DFL);
        if (dup2(into, 0) < 0 || dup2(from, 1) < 0 || dup2(from, 2) < 0) _exit(127);
        execve(view[0], words, bare);
        dprintf(1, "%s: %s", view[0], strerror(errno));
        _exit(127);
    }
    free(words);
    close(in[0]);
    close(out[1]);
    *keep = in[1];
    *said = out[0];
    return pid;
}

static long wait_for_view(int said) {
    char text[MOST_SAID] = "";
    size_t used = 0;
    int64_t until = now_ms() + HELD_DEADLINE_MS;
    for (;;) {
        struct pollfd p = {.fd = said, .events = POLLIN};
        int ready = poll(&p, 1, held_left_ms(until));
        if (ready < 0 && errno == EINTR) continue;
        ssize_t n = ready > 0 ? read(said, text + used, sizeof text - 1 - used) : -1;
        if (n > 0) used += (size_t)n;
        text[used] = '\0';
        char *found = strstr(text, "PMH1 ");
        if (found != NULL && strchr(found, '\n') != NULL) return strtol(found + 5, NULL, 10);
        if (n <= 0 || used == sizeof text - 1)
            not_held("bubblewrap: %s", used > 0 ? text : ready == 0 ? "it did not answer" : "it said nothing");
    }
}

/* Returns whether that is another namespace than ours, entered now. */
static int enter(long pid, const char *kind, int type) {
    char path[64], own[64];
    struct stat theirs, ours;
    snprintf(path, sizeof path, "/proc/%ld/ns/%s", pid, kind);
    snprintf(own, sizeof own, "/proc/self/ns/%s", kind);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &theirs) != 0 || stat(own, &ours) != 0) not_held("%s: %s", path, strerror(errno));
    int other = theirs.st_ino != ours.st_ino || theirs.st_dev != ours.st_dev;
    if (other && setns(fd, type) != 0) not_held("%s cannot be joined: %s", path, strerror(errno));
    close(fd);
    return other;
}

/* A directory that was opened before leads to the file system as it is outside. */
static void close_directories(void) {
    DIR *all = opendir("/proc/self/fd");
    if (all == NULL) not_held("/proc/self/fd: %s", strerror(errno));
    for (struct dirent *each = readdir(all); each != NULL; each = readdir(all)) {
        struct stat found;
        int fd = atoi(each->d_name);
        if (each->d_name[0] == '.' || fstat(fd, &found) != 0 || !S_ISDIR(found.st_mode)) continue;
        if (fd > 2) fcntl(fd, F_SETFD, FD_CLOEXEC);
        else not_held("descriptor %d is a directory outside of its view", fd);
    }
    closedir(all);
}

static void hold_by_bubblewrap(char **rules, char **view, char **self) {
    char cwd[4096];
    int keep, said, status;
    if (getcwd(cwd, sizeof cwd) == NULL || cwd[0] != '/')
        not_held("the working directory is gone: cd to one that exists");
    if (view[0] == NULL || view[0][0] != '/') not_held("there is no program to build a view");
    pid_t builder = start_view(view, self, &keep, &said);
    long holder = wait_for_view(said);
    int own_user = enter(holder, "user", CLONE_NEWUSER);
    enter(holder, "net", CLONE_NEWNET);
    if (!enter(holder, "mnt", CLONE_NEWNS)) not_held("bubblewrap built no view");
    for (; *rules != NULL; rules++) apply_rule(*rules);
    close(keep);
    close(said);
    while (waitpid(builder, &status, 0) < 0 && errno == EINTR) continue;
    if (chdir(cwd) != 0) not_held("the working directory %.300s: %s", cwd, strerror(errno));
    close_directories();
    give_up_privileges();
    drop_powers(!own_user);
    close_off(geteuid() == 0);
    refuse_keys();
}
