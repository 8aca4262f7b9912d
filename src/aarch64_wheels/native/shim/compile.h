/* A compiler call: clang, and what its end means. */

static int is_stdout(const char *path)
{
    return path && (equal(path, "-") || equal(path, "/dev/stdout"));
}

/* Stopped from outside: no verdict on the code. */
static int was_killed(int wait_status)
{
    int sig = wait_status & 0x7f;
    return sig == 1 || sig == SIGINT || sig == SIGQUIT || sig == SIGKILL || sig == 15;
}

_Noreturn static void compile(struct call *call, long began)
{
    const char *reason = reason_before(call);
    if (reason)
        fall_back(call, reason, -1, began);

    struct words words = shorten(native_call(call), 2);
    struct child clang = {ZIG, words.at, -1, -1, memory_file()};
    if (call->stdin_input)
        clang.in = keep_input();
    if (call->mode == PREPROCESS || is_stdout(call->output))
        clang.out = memory_file();

    struct result result = {"native", NULL, run(&clang, call->environment), began};
    struct buffer said = content(clang.err);
    if (!was_killed(result.wait_status))
        reason = reason_after(call, result.wait_status, &said);
    if (reason == NULL || is_native_only(call)) {
        replay(clang.out, 1);
        write_all(2, said.at, said.length);
    }
    if (reason)
        fall_back(call, reason, clang.in, began);
    finish(call, &result);
}
