/* pointsman-exec [--pinned STATE CONFIG] TEXT: carry out a shell command as the daemon has it.
 *
 *   pointsman-exec --join RULE... -- BWRAP... -- COMMAND...
 *   pointsman-exec --landlock [no-network] RULE... -- COMMAND...
 *
 * The daemon answers with nothing (run it), with the words that hold it (a prefix), or with a
 * reason why it is stopped. In every case but the last this program becomes the command: no process
 * stays between the host and it. Every way to fail ends in exit code 126 with words on stderr, and
 * nothing is run. The protocol is docs/transport.md, the twin in Python is exec.py.
 */
#define _GNU_SOURCE
#include <stddef.h>

enum { STOP = 126 };
static const char *const PASSED_ON[] = {
    "CLAUDE_PROJECT_DIR", "CLAUDE_CODE_SESSION_ID", "CLAUDE_PID", "CLAUDE_CODE_ENTRYPOINT",
    "CLAUDE_CONFIG_DIR", "HOME", "TMPDIR", "SHELL", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR",
    "CARGO_HOME", "GOCACHE", "GOMODCACHE", "GOPATH", "GRADLE_USER_HOME", "PIP_CACHE_DIR",
    "UV_CACHE_DIR", "npm_config_cache", "TMUX", "TMUX_TMPDIR", "DOCKER_HOST", NULL};

#include "transport.h"
#include "held.h"

#define USAGE "usage: pointsman-exec [--pinned STATE CONFIG] TEXT"
#define REFUSED 2
#define MOST_WORDS 100000
#define KEPT_SIGNALS 5

static const int SIGNALS[KEPT_SIGNALS] = {SIGALRM, SIGTERM, SIGINT, SIGHUP, SIGPIPE};
static struct sigaction before[KEPT_SIGNALS];
static int was_closed[3];
static char own_path[4096];

/* As the host left it: signals that were ignored, descriptors that were closed. */
static void as_before(void) {
    struct itimerval none = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &none, NULL);
    for (size_t i = 0; i < KEPT_SIGNALS; i++) sigaction(SIGNALS[i], &before[i], NULL);
    for (int fd = 0; fd <= 2; fd++)
        if (was_closed[fd]) close(fd);
}

__attribute__((noreturn)) static void become(char **words) {
    if (words[0] == NULL) not_held("there is no command");
    as_before();
    execvp(words[0], words);
    int error = errno;
    signal(SIGPIPE, SIG_IGN);
    not_held("%.300s cannot be started: %s", words[0], strerror(error));
}

static char **past(char **words) {
    while (*words != NULL && strcmp(*words, "--") != 0) words++;
    if (*words == NULL) not_held("the words that hold it are cut short");
    *words = NULL;
    return words + 1;
}

__attribute__((noreturn)) static void held(char **words) {
    char *self[] = {own_path, NULL};
    char **rules = words + 1, **rest = past(rules);
    if (strcmp(words[0], "--join") == 0) {
        char **command = past(rest);
        hold_by_bubblewrap(rules, rest, self);
        become(command);
    }
    hold_by_landlock(rules);
    become(rest);
}

static int is_holding(const char *word) {
    return word != NULL && (strcmp(word, "--join") == 0 || strcmp(word, "--landlock") == 0);
}

/* The shell that the host means; another program of that variable's is none of a host's. */
static const char *host_shell(void) {
    static const char *const known[] = {"/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash", "/bin/sh", NULL};
    const char *named = getenv("SHELL"), *base = named != NULL ? strrchr(named, '/') : NULL;
    if (base != NULL && named[0] == '/' && (strcmp(base, "/bash") == 0 || strcmp(base, "/zsh") == 0) &&
        access(named, X_OK) == 0)
        return named;
    for (const char *const *each = known; *each != NULL; each++)
        if (access(*each, X_OK) == 0) return *each;
    fail(DOCTOR, "there is neither bash nor sh");
}

/* `stdout` of the answer holds words that each end in a NUL: returns them with room for three. */
static char **read_words(char *data, size_t size, size_t *count) {
    if (size > 0 && data[size - 1] != '\0') fail(RESTART, "the daemon's answer has an unfinished word");
    for (size_t i = 0; i < size; i++)
        if (data[i] == '\0') ++*count;
    if (*count > MOST_WORDS) fail(RESTART, "the daemon's answer has %zu words", *count);
    if (size > 0 && data[0] != '/') fail(RESTART, "the daemon's answer begins with no program");
    char **words = calloc(*count + 4, sizeof *words);
    if (words == NULL) fail(DOCTOR, "no memory for the answer");
    for (size_t i = 0; i < *count; i++) {
        words[i] = data;
        data += strlen(data) + 1;
    }
    return words;
}

__attribute__((noreturn)) static void carry_out(struct buffer *answer, char *text, int cwd) {
    char *data = answer->data;
    if (answer->used >= 8 && memcmp(data, "PMS1", 4) == 0) {
        size_t size = get_u32(data + 4);
        if (size > answer->used - 8) size = answer->used - 8;
        fail(RESTART, "version skew: %.*s", size < 300 ? (int)size : 300, data + 8);
    }
    if (answer->used < 16 || memcmp(data, "PMA1", 4) != 0)
        fail(RESTART, "the daemon's answer is garbled or cut short");
    uint32_t code = get_u32(data + 4), out = get_u32(data + 8), err = get_u32(data + 12);
    if (out > MAX_PART || err > MAX_PART || (size_t)out + err + 20 != answer->used ||
        memcmp(data + 16 + out + err, "DONE", 4) != 0)
        fail(RESTART, "the daemon's answer is garbled or cut short");
    if ((code != PASS && code != REFUSED) || (code == REFUSED && err == 0))
        fail(RESTART, "the daemon's answer has the exit code %u and %u bytes of reason", code, err);
    (void)write_all(2, data + 16 + out, err);
    if (code == REFUSED) _exit(STOP);
    size_t count = 0;
    char **words = read_words(data + 16, out, &count);
    words[count] = (char *)(uintptr_t)host_shell();
    words[count + 1] = "-c";
    words[count + 2] = text;
    state_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    in_state = 0;
    if (cwd < 0 || fchdir(cwd) != 0) not_held("the working directory: %s", strerror(errno));
    close(cwd);
    /* Its own words it carries out itself: that saves a start, and the longest command fits. */
    if (count > 2 && is_holding(words[1]) && strcmp(words[0], own_path) == 0) held(words + 1);
    become(words);
}

static void find_own_path(void) {
    ssize_t n = readlink("/proc/self/exe", own_path, sizeof own_path - 1);
    if (n <= 0) fail(DOCTOR, "the path of this program is not known");
    own_path[n] = '\0';
}

static void begin(void) {
    struct timespec wall;
    for (int fd = 0; fd <= 2; fd++) was_closed[fd] = fcntl(fd, F_GETFD) < 0;
    hold_standard_descriptors();
    for (size_t i = 0; i < KEPT_SIGNALS; i++) sigaction(SIGNALS[i], NULL, &before[i]);
    clock_gettime(CLOCK_REALTIME, &wall);
    started_ns = (int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec;
    event = "exec";
    spoken = "shell command";
    set_deadline();
    /* Nothing runs yet: a signal ends us as it would have ended the command. */
    for (size_t i = 1; i < 4; i++) sigaction(SIGNALS[i], &before[i], NULL);
    find_own_path();
}

int main(int argc, char **argv) {
    struct buffer payload = {0}, answer = {0};
    char cwd[4096] = "";
    int watch = -1, text = 1;
    if (argc == 2 && strcmp(argv[1], "--hold") == 0) return hold();
    begin();
    if (argc > 2 && is_holding(argv[1])) held(argv + 1);
    if (argc == 5 && strcmp(argv[1], "--pinned") == 0 && argv[2][0] == '/' && argv[3][0] == '/') {
        pinned_state = argv[2];
        pinned_config = argv[3];
        text = 4;
    }
    if (argc != text + 1) fail(INIT, "it was called with %d words; " USAGE, argc - 1);
    payload.data = argv[text];
    payload.used = strlen(argv[text]);
    if (payload.used > MAX_PAYLOAD) fail(INIT, "it has %zu bytes, more than can be checked", payload.used);
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (here < 0) here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (getcwd(cwd, sizeof cwd) == NULL) cwd[0] = '\0';
    const char *session = getenv("CLAUDE_CODE_SESSION_ID");
    more_lines[0][0] = "session";
    more_lines[0][1] = session != NULL ? session : "";
    more_lines[1][0] = "agent";
    more_lines[1][1] = "claude-code";
    build_frame("pointsman-exec", cwd, &payload, payload.used);
    find_state();
    enter_state();
    for (int attempt = 0; attempt <= MAX_RESENDS; attempt++) {
        int fd = reach_daemon(&watch);
        size_t got = exchange(fd, &answer);
        close(fd);
        if (watch >= 0) close(watch);
        watch = -1;
        if (got > 0) carry_out(&answer, argv[text], here);
        if (attempt > 0) poll(NULL, 0, 20);
    }
    fail(RESTART, "the daemon closed the connection %d times without an answer", MAX_RESENDS + 1);
}
