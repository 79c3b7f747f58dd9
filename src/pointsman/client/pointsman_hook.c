/* pointsman-hook HOST EVENT [STATE CONFIG]: hand one event to the daemon and do what it answers.
 *
 * With both directories given, the environment has no say in where the daemon is found, which
 * program it is and what it reads: a repository's settings may set variables for every hook.
 *
 * On a guard event every way to fail ends in exit code 2 with words on stderr; on any other event
 * in exit code 0, with the event in the spool. The protocol is docs/transport.md, the twin in
 * Python is hook.py; one suite runs against both.
 */
#define _GNU_SOURCE
#include <stddef.h>

enum { STOP = 2 };
static const char *const GUARD_EVENTS[] = {
    "PreToolUse", "PermissionRequest", "UserPromptSubmit", "UserPromptExpansion", "ConfigChange",
    "BeforeTool", "beforeShellExecution", "beforeMCPExecution", "beforeReadFile", NULL};
static const char *const PASSED_ON[] = {"CLAUDE_PROJECT_DIR", "CLAUDE_CODE_SESSION_ID", "CLAUDE_PID",
                                        "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CONFIG_DIR", NULL};

#define USAGE "usage: pointsman-hook HOST EVENT [STATE CONFIG] < payload"

#include "transport.h"

static size_t read_payload(struct buffer *payload, int *late) {
    char rest[65536];
    size_t total = 0;
    for (;;) {
        size_t keep = MAX_PAYLOAD - payload->used;
        struct pollfd p = {.fd = 0, .events = POLLIN};
        ssize_t n;
        if (keep > 0 && grow(payload, 65536) != 0) fail(DOCTOR, "no memory for the payload");
        if (keep > 0) {
            size_t room = payload->room - payload->used;
            n = poll(&p, 1, left_ms()) > 0 ? read(0, payload->data + payload->used, room < keep ? room : keep)
                                           : -2;
        } else {
            n = poll(&p, 1, left_ms()) > 0 ? read(0, rest, sizeof rest) : -2;
        }
        *late = n == -2;
        if (*late) return total;
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n <= 0) return total; /* A stdin that is closed or broken is an empty payload. */
        if (keep > 0) payload->used += (size_t)n;
        total += (size_t)n;
    }
}

static int deliver(const struct buffer *answer) {
    const char *data = answer->data;
    if (answer->used >= 8 && memcmp(data, "PMS1", 4) == 0) {
        size_t size = get_u32(data + 4);
        if (size > answer->used - 8) size = answer->used - 8;
        fail(RESTART, "version skew: %.*s", size < 300 ? (int)size : 300, data + 8);
    }
    if (answer->used < 16 || memcmp(data, "PMA1", 4) != 0)
        fail(RESTART, "the daemon's answer is garbled or cut short");
    uint32_t code = get_u32(data + 4), out = get_u32(data + 8), err = get_u32(data + 12);
    if (out > MAX_PART || err > MAX_PART || (size_t)out + err + 20 > answer->used ||
        memcmp(data + 16 + out + err, "DONE", 4) != 0)
        fail(RESTART, "the daemon's answer is garbled or cut short");
    if ((code != PASS && code != STOP) || (guarding && code == STOP && err == 0))
        fail(RESTART, "the daemon's answer has the exit code %u and %u bytes of reason", code, err);
    if (write_all(2, data + 16 + out, err) != 0 && code == STOP) return STOP;
    if (write_all(1, data + 16, out) != 0) {
        if (code == STOP) return STOP; /* The reason is out, and exit code 2 says the rest. */
        fail(DOCTOR, "the answer could not be written: %s", strerror(errno));
    }
    return (int)code;
}

int main(int argc, char **argv) {
    struct buffer payload = {0}, answer = {0};
    struct timespec wall;
    char cwd[4096] = "";
    int watch = -1, late = 0;
    hold_standard_descriptors();
    if (argc < 3) {
        static const char usage[] = "Pointsman could not check this event (" USAGE "). " GUARDED
                                    " A person can get it going again with: pointsman init\n";
        (void)!write(2, usage, sizeof usage - 1);
        return STOP;
    }
    event = argv[2];
    guarding = 0;
    for (const char *const *name = GUARD_EVENTS; *name != NULL; name++)
        if (strcmp(*name, event) == 0) guarding = 1;
    clock_gettime(CLOCK_REALTIME, &wall);
    started_ns = (int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec;
    if (argc == 5 && argv[3][0] == '/' && argv[4][0] == '/') {
        pinned_state = argv[3];
        pinned_config = argv[4];
    }
    set_deadline();
    if (getcwd(cwd, sizeof cwd) == NULL) cwd[0] = '\0';
    size_t size = read_payload(&payload, &late);
    build_frame(argv[1], cwd, &payload, size);
    find_state();
    enter_state();
    if (argc > 3 && pinned_state == NULL) fail(INIT, "it was called with %d words; " USAGE, argc - 1);
    if (late) fail(UP, "the payload did not end within the deadline");
    for (int attempt = 0; attempt <= MAX_RESENDS; attempt++) {
        int fd = reach_daemon(&watch);
        size_t got = exchange(fd, &answer);
        close(fd);
        if (got > 0) return deliver(&answer);
        if (attempt > 0) poll(NULL, 0, 20);
        /* It went away before it answered (a restart): the next one has not seen this yet. */
        if (watch >= 0) close(watch);
        watch = -1;
    }
    fail(RESTART, "the daemon closed the connection %d times without an answer", MAX_RESENDS + 1);
}
