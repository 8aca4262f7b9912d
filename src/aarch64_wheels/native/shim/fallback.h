/* The image's own programs, under QEMU. */

static int is_native_only(const struct call *call)
{
    return equal(setting(call->conf, "policy", "auto"), "native-only");
}

/* Options that a project gives because --version says clang, and that GCC would refuse. */
static int is_clangs(const struct word *word)
{
    int looked_up = word->meaning == LISTED || word->meaning == WARNING;
    return word->meaning == CLANGS_OWN || (looked_up && word->action == 'c');
}

/* The image's compiler as it was called, but for what only clang takes. */
static struct words without_clangs(const struct call *call)
{
    struct words to = {0};
    add(&to, call->tool.real);
    for (size_t i = 0; i < call->count; i++) {
        const struct word *word = &call->words[i];
        if (word->meaning == STANDARD && word->value)
            add(&to, join("-std=", gcc_standard(call, word->value), ""));
        else if (!is_clangs(word))
            add_as_is(word, &to);
    }
    return shorten(to, 1);
}

/* Without a need, the words stay as they came. LTO objects must hold code for lld as well. */
static char **fallback_call(const struct call *call)
{
    struct words to = {0};
    int change = 0;
    for (size_t i = 0; i < call->count; i++) {
        const struct word *word = &call->words[i];
        change |= is_clangs(word) || (word->meaning == STANDARD && word->value
                                      && !equal(gcc_standard(call, word->value), word->value));
    }
    for (char **at = change ? without_clangs(call).at : original(call); *at; at++)
        add(&to, *at);
    if (call->lto && call->sources && (call->mode == COMPILE || call->mode == ASSEMBLE))
        add(&to, "-ffat-lto-objects");
    return to.at;
}

_Noreturn static void finish(const struct call *call, const struct result *result)
{
    record(call, result);
    end_like(result->wait_status);
}

_Noreturn static void fall_back(const struct call *call, const char *reason, int in, long began)
{
    struct result result = {"fallback", reason, 1 << 8, began};
    struct child real = {call->tool.real, fallback_call(call), in, -1, -1};
    if (is_native_only(call)) {
        complain(reason, ": not allowed by --compiler native-only", "");
        result.how = "native";
    } else {
        result.wait_status = run(&real, call->environment);
    }
    finish(call, &result);
}
