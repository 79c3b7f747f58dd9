/* How the native programs reach the daemon: what pointsman_hook.c and pointsman_exec.c share.
 *
 * Whoever includes this says before it what STOP is, its exit code where it stops what it guards,
 * and which variables of the environment are PASSED_ON. The protocol is docs/transport.md.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#include <pwd.h>
#endif

#ifndef POINTSMAN_VERSION
#define POINTSMAN_VERSION "0"
#endif

#define PASS 0
#define MAX_PAYLOAD ((size_t)4 * 1024 * 1024)
#define MAX_PART ((uint32_t)16 * 1024 * 1024)
#define MAX_HEADER ((size_t)60 * 1024)
#define MAX_NAMES ((size_t)15 * 1024)
#define MAX_SPOOLED 10000
#define GUARD_DEADLINE_MS 25000
#define OTHER_DEADLINE_MS 22000
#define MAX_RESENDS 20
#define MAX_STARTS 20
#define KILLED 125

/* What a person types, by what went wrong. */
static const char UP[] = "pointsman up";
static const char RESTART[] = "pointsman up --restart";
static const char DOCTOR[] = "pointsman doctor";
static const char INIT[] = "pointsman init";
#define GUARDED "This is Pointsman's own failure, not a policy violation; the call was stopped."

struct buffer { char *data; size_t used, room; };

static const char *event = "";
static const char *spoken; /* What a failure calls it, where that is not the event's name. */
static const char *more_lines[4][2];
static int guarding = 1;
static int64_t deadline_ms;
static int64_t started_ns;
static char state[4096];
static const char *pinned_state, *pinned_config;
static int in_state;
static struct buffer frame;
static volatile sig_atomic_t frame_whole, failing;

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int left_ms(void) {
    int64_t left = deadline_ms - now_ms();
    return left > 0 ? (int)left : 0;
}

static int write_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            if (poll(&p, 1, left_ms()) <= 0) return -1;
            continue;
        }
        if (n <= 0) return -1;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static int grow(struct buffer *b, size_t more) {
    if (b->room - b->used >= more) return 0;
    size_t room = b->room ? b->room : 4096;
    while (room - b->used < more) room *= 2;
    char *data = realloc(b->data, room);
    if (data == NULL) return -1;
    b->data = data;
    b->room = room;
    return 0;
}

static int put(struct buffer *b, const void *data, size_t size) {
    if (grow(b, size) != 0) return -1;
    if (size > 0) memcpy(b->data + b->used, data, size);
    b->used += size;
    return 0;
}

static int spool(const char *reason);

/* The one way out after a failure. */
__attribute__((noreturn, format(printf, 2, 3))) static void fail(const char *command,
                                                                 const char *form, ...) {
    char reason[1024], text[2048];
    va_list rest;
    failing = 1;
    va_start(rest, form);
    vsnprintf(reason, sizeof reason, form, rest);
    va_end(rest);
    for (char *c = reason; *c != '\0'; c++)
        if (*c == '\n') *c = ' ';
    int kept = spool(reason) == 0;
    const char *what =
        guarding ? GUARDED
        : kept   ? "This is Pointsman's own failure; the event was let through and is on record."
                 : "This is Pointsman's own failure; the event was let through and could not be recorded.";
    int n = snprintf(text, sizeof text,
                     "Pointsman could not check this %.100s (%s%s). %s A person can get it going again "
                     "with: %s\n",
                     spoken != NULL ? spoken : event, reason, guarding && !kept ? "; it could not be spooled either" : "", what,
                     command);
    if (n > 0) (void)write_all(2, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
    _exit(guarding ? STOP : PASS);
}

/* What `fail` does is system calls and the formatting of words and numbers: it takes no lock. */
static void on_signal(int number) {
    if (!failing) fail(UP, "the client was ended before the answer came");
    if (number == SIGALRM) _exit(guarding ? STOP : PASS);
}

/* --- the state directory ------------------------------------------------------------------- */

static int copy_path(char *to, size_t room, const char *base, const char *rest) {
    int n = snprintf(to, room, "%s%s", base, rest);
    return n > 0 && (size_t)n < room ? 0 : -1;
}

/* A static program must not use getpwuid: it would load the very libraries that it does without. */
static const char *home_of_user(void) {
#ifdef __APPLE__
    struct passwd *user = getpwuid(geteuid());
    return user == NULL ? NULL : user->pw_dir;
#else
    static char line[4096];
    FILE *users = fopen("/etc/passwd", "re");
    const char *found = NULL;
    while (users != NULL && found == NULL && fgets(line, sizeof line, users) != NULL) {
        char *field[7] = {line}, *colon = line;
        int n = 1;
        while (n < 7 && (colon = strchr(colon, ':')) != NULL) {
            *colon++ = '\0';
            field[n++] = colon;
        }
        if (n == 7 && strtoul(field[2], NULL, 10) == geteuid() && field[5][0] == '/') found = field[5];
    }
    if (users != NULL) fclose(users);
    return found;
#endif
}

static void find_state(void) {
    const char *own = getenv("POINTSMAN_STATE_DIR");
    const char *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int rc;
    if (pinned_state != NULL) own = pinned_state;
    if (own != NULL && own[0] == '/') {
        rc = copy_path(state, sizeof state, own, "");
    } else if (xdg != NULL && xdg[0] == '/') {
        rc = copy_path(state, sizeof state, xdg, "/pointsman");
    } else {
        if (home == NULL || home[0] != '/') {
            home = home_of_user();
            if (home == NULL) fail(DOCTOR, "HOME is not set and user %u is unknown", geteuid());
        }
        rc = copy_path(state, sizeof state, home, "/.local/state/pointsman");
    }
    if (rc != 0) fail(DOCTOR, "the path of the state directory is too long");
}

static void make_state(void) {
    for (char *slash = strchr(state + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(state, 0700);
        *slash = '/';
    }
    mkdir(state, 0700);
}

static void enter_state(void) {
    struct stat found;
    if (chdir(state) != 0) {
        if (errno == ENOENT) make_state();
        if (chdir(state) != 0) fail(DOCTOR, "the state directory %.300s: %s", state, strerror(errno));
    }
    if (stat(".", &found) != 0) fail(DOCTOR, "the state directory %.300s: %s", state, strerror(errno));
    if (found.st_uid != geteuid())
        fail(DOCTOR, "the state directory %.300s belongs to user %u, not to you", state, found.st_uid);
    if ((found.st_mode & 022) != 0)
        fail(DOCTOR, "the state directory %.300s can be written by others", state);
    in_state = 1;
}

static int count_spooled(void) {
    struct stat found;
    /* A directory's link count says nothing about files: a marker file would. Its size grows with
     * its entries on every common file system, which is all that a cap needs. */
    return stat("spool", &found) == 0 && found.st_size > (off_t)MAX_SPOOLED * 64 ? MAX_SPOOLED : 0;
}

static int spool(const char *reason) {
    char temporary[96], name[96];
    if (!in_state || !frame_whole) return -1;
    mkdir("spool", 0700);
    if (count_spooled() >= MAX_SPOOLED) return -1;
    snprintf(temporary, sizeof temporary, "spool/.%lld-%ld.tmp", (long long)started_ns, (long)getpid());
    snprintf(name, sizeof name, "spool/%lld-%ld.frame", (long long)started_ns, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return -1;
    char line[1100];
    int n = snprintf(line, sizeof line, "PMF1\t%s\n", reason);
    int rc = write_all(fd, line, (size_t)n);
    if (rc == 0) rc = write_all(fd, frame.data, frame.used);
    if (close(fd) != 0) rc = -1;
    if (rc == 0) rc = rename(temporary, name);
    if (rc != 0) unlink(temporary);
    return rc;
}

/* --- the request --------------------------------------------------------------------------- */

static int header_line(struct buffer *b, const char *key, const char *value) {
    int rc = put(b, key, strlen(key)) | put(b, "\t", 1);
    for (const char *c = value; *c != '\0' && b->used < MAX_HEADER; c++) {
        if (*c == '\\') rc |= put(b, "\\\\", 2);
        else if (*c == '\t') rc |= put(b, "\\t", 2);
        else if (*c == '\n') rc |= put(b, "\\n", 2);
        else rc |= put(b, c, 1);
    }
    return rc | put(b, "\n", 1);
}

static int header_number(struct buffer *b, const char *key, long long value) {
    char text[32];
    snprintf(text, sizeof text, "%lld", value);
    return header_line(b, key, text);
}

static const char NAME_CHARACTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

/* Which variables there are, never what they hold: a credential that is missing can be named. */
static int header_names(struct buffer *b) {
    size_t start = b->used;
    int rc = put(b, "env_names\t", 10);
    for (char **variable = environ; *variable != NULL && b->used - start < MAX_NAMES; variable++) {
        size_t size = strcspn(*variable, "=");
        if (size == 0 || size > 255 || (*variable)[size] == '\0' || (*variable)[size + 1] == '\0') continue;
        if (strspn(*variable, NAME_CHARACTERS) < size) continue;
        rc |= put(b, *variable, size) | put(b, ",", 1);
    }
    return rc | put(b, "\n", 1);
}

static void put_u32(char *at, uint32_t value) {
    at[0] = (char)(value >> 24);
    at[1] = (char)(value >> 16);
    at[2] = (char)(value >> 8);
    at[3] = (char)value;
}

static uint32_t get_u32(const char *at) {
    const unsigned char *b = (const unsigned char *)at;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void build_frame(const char *host, const char *cwd, const struct buffer *payload, size_t size) {
    struct buffer h = {0};
    int rc = header_line(&h, "version", POINTSMAN_VERSION) | header_line(&h, "client", "native") |
             header_line(&h, "host", host) | header_line(&h, "event", event) |
             header_number(&h, "pid", getpid()) | header_number(&h, "ppid", getppid()) |
             header_line(&h, "cwd", cwd) | header_number(&h, "size", (long long)size) |
             header_number(&h, "started_ns", started_ns) | header_number(&h, "deadline_ms", left_ms());
    for (size_t i = 0; i < sizeof more_lines / sizeof *more_lines && more_lines[i][0] != NULL; i++)
        rc |= header_line(&h, more_lines[i][0], more_lines[i][1]);
    for (const char *const *name = PASSED_ON; *name != NULL; name++) {
        char key[64];
        const char *value = getenv(*name);
        if (value == NULL) continue;
        snprintf(key, sizeof key, "env.%s", *name);
        rc |= header_line(&h, key, value);
    }
    rc |= header_names(&h);
    char prefix[12] = "PMQ1";
    put_u32(prefix + 4, (uint32_t)h.used);
    put_u32(prefix + 8, (uint32_t)payload->used);
    rc |= put(&frame, prefix, sizeof prefix) | put(&frame, h.data, h.used) |
          put(&frame, payload->data, payload->used);
    free(h.data);
    if (rc != 0) fail(DOCTOR, "no memory for the request");
    frame_whole = 1;
}

/* --- the daemon ---------------------------------------------------------------------------- */

static int peer_is_us(int fd) {
#ifdef __APPLE__
    uid_t uid;
    gid_t gid;
    return getpeereid(fd, &uid, &gid) == 0 && uid == geteuid();
#else
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
#endif
}

static int daemon_program(char *path, size_t room) {
    const char *given = pinned_state == NULL ? getenv("POINTSMAN_DAEMON") : NULL;
    if (given != NULL && given[0] == '/') return copy_path(path, room, given, "");
#ifdef __APPLE__
    uint32_t size = (uint32_t)room;
    if (_NSGetExecutablePath(path, &size) != 0) return -1;
#else
    ssize_t n = readlink("/proc/self/exe", path, room - 1);
    if (n <= 0) return -1;
    path[n] = '\0';
#endif
    char *slash = strrchr(path, '/');
    if (slash == NULL) return -1;
    return copy_path(slash + 1, room - (size_t)(slash + 1 - path), "pointsman", "");
}

/* What leads a program to other code or other files than its own. */
static const char *const MISLEADING[] = {"LD_", "DYLD_", "PYTHON", "POINTSMAN_", "XDG_", NULL};

static void pin_environment(void) {
    for (char **variable = environ; *variable != NULL;) {
        const char *const *prefix = MISLEADING;
        while (*prefix != NULL && strncmp(*variable, *prefix, strlen(*prefix)) != 0) prefix++;
        char name[256];
        size_t size = strcspn(*variable, "=");
        if (*prefix == NULL || size >= sizeof name) {
            variable++;
            continue;
        }
        memcpy(name, *variable, size);
        name[size] = '\0';
        unsetenv(name); /* Moves what stands behind it here. */
    }
    setenv("POINTSMAN_STATE_DIR", pinned_state, 1);
    setenv("POINTSMAN_CONFIG_DIR", pinned_config, 1);
}

/* A middleman waits for the daemon and tells by `out` how it ended, so that a start that fails is
 * known at once; it ends with the client, the daemon lives on. */
static void become_daemon(const char *program, int out) {
    pid_t child;
    setsid();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int log = open("daemon.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(null, 0);
    dup2(null, 1);
    dup2(log >= 0 ? log : null, 2);
    child = fork();
    if (child == 0) {
        close(out);
        for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
        unsetenv("CLAUDE_CODE_MESSAGING_TOKEN");
        unsetenv("CLAUDE_CODE_MESSAGING_SOCKET");
        unsetenv("ANTHROPIC_API_KEY");
        unsetenv("ANTHROPIC_AUTH_TOKEN");
        if (pinned_state != NULL) pin_environment();
        setsid();
        execl(program, program, "daemon", (char *)NULL);
        dprintf(2, "pointsman-hook: %s: %s\n", program, strerror(errno));
        _exit(127);
    }
    int status = 0;
    unsigned char code = 126;
    signal(SIGPIPE, SIG_DFL); /* The client has its answer: nobody is left to be told. */
    if (child > 0) {
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
        code = WIFEXITED(status) ? (unsigned char)WEXITSTATUS(status) : KILLED;
    }
    if (write(out, &code, 1) < 0) _exit(1);
    _exit(0);
}

static int start_daemon(void) {
    char program[4096];
    int ends[2];
    if (daemon_program(program, sizeof program) != 0) fail(DOCTOR, "the daemon's program is not known");
    if (access(program, X_OK) != 0) fail(DOCTOR, "no daemon runs and %.300s: %s", program, strerror(errno));
    if (pipe(ends) != 0) fail(DOCTOR, "no daemon runs and no pipe can be had: %s", strerror(errno));
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    pid_t middleman = fork();
    if (middleman < 0) fail(DOCTOR, "no daemon runs and none can be started: %s", strerror(errno));
    if (middleman == 0) {
        close(ends[0]);
        if (fork() == 0) become_daemon(program, ends[1]);
        _exit(0);
    }
    close(ends[1]);
    while (waitpid(middleman, NULL, 0) < 0 && errno == EINTR) continue;
    return ends[0];
}

/* Nothing but a socket may be in the socket's place: no daemon could listen. */
static void check_socket(void) {
    struct stat found;
    char command[1024];
    if (lstat("daemon.sock", &found) != 0 || S_ISSOCK(found.st_mode) || S_ISLNK(found.st_mode)) return;
    snprintf(command, sizeof command, "mv '%.400s/daemon.sock' '%.400s/daemon.sock.aside'", state, state);
    fail(command, "%.300s/daemon.sock is not a socket", state);
}

static void check_started(int *watch) {
    unsigned char code;
    if (*watch < 0 || read(*watch, &code, 1) != 1) return;
    /* One that lost the race, or was killed: should nobody listen, it is started once more. */
    close(*watch);
    *watch = -1;
    if (code != 0 && code != KILLED)
        fail(UP, "the daemon could not be started: exit code %d, see %.300s/daemon.log", code, state);
}

static int try_connect(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "daemon.sock"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) fail(DOCTOR, "no socket can be had: %s", strerror(errno));
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        if (!peer_is_us(fd)) fail(DOCTOR, "%.300s/daemon.sock is not yours", state);
        return fd;
    }
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int reach_daemon(int *watch) {
    static int starts;
    int pause_ms = 5;
    for (;;) {
        int fd = try_connect();
        if (fd >= 0) return fd;
        if (errno == ENOENT || errno == ECONNREFUSED) {
            check_socket();
            if (*watch < 0 && starts++ <= MAX_STARTS) *watch = start_daemon();
        } else if (errno != EAGAIN && errno != EINTR) {
            fail(DOCTOR, "%.300s/daemon.sock: %s", state, strerror(errno));
        }
        check_started(watch);
        if (left_ms() == 0) fail(UP, "no daemon answered within the deadline");
        poll(NULL, 0, pause_ms < left_ms() ? pause_ms : left_ms());
        if (pause_ms < 50) pause_ms *= 2;
    }
}

/* Returns the bytes of the answer, 0 where the daemon went away before the first one. */
static size_t exchange(int fd, struct buffer *answer) {
    size_t sent = 0;
    answer->used = 0;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = (short)(POLLIN | (sent < frame.used ? POLLOUT : 0))};
        int ready = poll(&p, 1, left_ms());
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) fail(RESTART, "the daemon did not answer within the deadline");
        if ((p.revents & POLLOUT) != 0 && sent < frame.used) {
            ssize_t n = send(fd, frame.data + sent, frame.used - sent, MSG_NOSIGNAL);
            if (n > 0) sent += (size_t)n;
            else if (errno != EAGAIN && errno != EINTR) sent = frame.used; /* What it said counts. */
        }
        if ((p.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
            if (grow(answer, 65536) != 0) fail(DOCTOR, "no memory for the answer");
            ssize_t n = recv(fd, answer->data + answer->used, answer->room - answer->used, 0);
            if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
            if (n <= 0) return answer->used;
            answer->used += (size_t)n;
            if (answer->used > (size_t)MAX_PART * 2 + 64) return answer->used;
        }
    }
}

/* --- before anything else ------------------------------------------------------------------ */

static void hold_standard_descriptors(void) {
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) < 0) _exit(STOP);
}

static void set_deadline(void) {
    long limit = guarding ? GUARD_DEADLINE_MS : OTHER_DEADLINE_MS;
    const char *shorter = getenv("POINTSMAN_DEADLINE_MS");
    if (shorter != NULL) {
        char *end;
        long value = strtol(shorter, &end, 10);
        if (end != shorter && *end == '\0' && value > 0 && value < limit) limit = value;
    }
    deadline_ms = now_ms() + limit;
    /* Should anything block that must not, the alarm ends it a second later. */
    struct itimerval last = {.it_value = {.tv_sec = limit / 1000 + 1}};
    struct sigaction act = {.sa_handler = on_signal};
    const int numbers[] = {SIGALRM, SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaction(numbers[i], &act, NULL);
    setitimer(ITIMER_REAL, &last, NULL);
    signal(SIGPIPE, SIG_IGN);
}
