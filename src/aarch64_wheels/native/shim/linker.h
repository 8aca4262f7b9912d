/* `ld`, called by its name and not by clang. */

static int is_from_gcc(const struct call *call)
{
    for (char **entry = call->environment; *entry; entry++)
        if (after(*entry, "COLLECT_GCC_OPTIONS="))
            return 1;
    return call->plugin;
}

/* The image's GCC links (a fallback) by its own linker; who calls `ld` himself gets lld. */
_Noreturn static void link_directly(struct call *call, long began)
{
    struct result result = {"native", NULL, 0, began};
    note_files(call);
    if (is_from_gcc(call))
        become(call->tool.real, original(call), call->environment);
    struct child lld = {ZIG, zig_call(call, "ld.lld", "ld-last"), -1, -1, memory_file()};
    result.wait_status = run(&lld, call->environment);
    struct buffer said = content(lld.err);
    const char *reason = reason_after(call, result.wait_status, &said);
    if (reason == NULL || is_native_only(call))
        write_all(2, said.at, said.length);
    if (reason)
        fall_back(call, reason, -1, began);
    finish(call, &result);
}
