/* `ar` and `ranlib`: LLVM's, and the image's own for an option, an operation or a script's command
   that LLVM's does not have. */

static const char *archiver_reason(const struct buffer *said)
{
    static const char *const REFUSALS[] = {"error: unknown option ", "error: unknown argument ",
                                           "error: Invalid option: ", ": unknown command: "};
    for (size_t i = 0; i < COUNT(REFUSALS); i++) {
        const char *at = find(said->at, said->length, REFUSALS[i]);
        if (at == NULL)
            continue;
        at += length(REFUSALS[i]);
        size_t n = line_length(at, said->at + said->length);
        return join("unknown-option ", *at == '\'' ? quoted(at, n, 1) : copy(at, n), "");
    }
    return NULL;
}

/* `ar -M` reads a script. */
static int has_script(const struct call *call)
{
    for (char **at = call->argv; *at; at++)
        if (equal(*at, "-M") || (at == call->argv && equal(*at, "M")))
            return 1;
    return 0;
}

/* Its standard output is held back too: a refusal comes with pages of help. */
_Noreturn static void archive(struct call *call, long began)
{
    struct result result = {"native", NULL, 0, began};
    char **words = zig_call(call, call->tool.role, NULL);
    struct child zig = {ZIG, words, -1, memory_file(), memory_file()};
    note_files(call);
    if (has_script(call))
        zig.in = keep_input();
    result.wait_status = run(&zig, call->environment);
    struct buffer said = content(zig.err);
    const char *reason = result.wait_status ? archiver_reason(&said) : NULL;
    if (reason == NULL || is_native_only(call)) {
        replay(zig.out, 1);
        write_all(2, said.at, said.length);
    }
    if (reason)
        fall_back(call, reason, zig.in, began);
    finish(call, &result);
}
