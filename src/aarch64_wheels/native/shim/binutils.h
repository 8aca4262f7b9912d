/* The programs around the compiler: archiver and linker. */

/* The image's own program, called as this one was. */
static char **original(const struct call *call)
{
    struct words to = {0};
    add(&to, call->tool.real);
    for (char **at = call->argv; *at; at++)
        add(&to, *at);
    return to.at;
}

static char **zig_call(const struct call *call, const char *command, const char *last)
{
    struct words to = {0};
    add(&to, call->tool.name);
    add(&to, command);
    for (char **at = call->argv; *at; at++)
        add(&to, *at);
    if (last)
        settings(call->conf, last, &to);
    return to.at;
}

/* clang links by this name, and its words are final. */
_Noreturn static void link_for_clang(struct call *call)
{
    call->tool.name = "ld.lld";
    CALL(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0);
    become(ZIG, zig_call(call, "ld.lld", NULL), call->environment);
}

/* Only for the record: which words look like the result and the inputs. */
static void note_files(struct call *call)
{
    struct words words = expand(call->argv);
    call->words = grab((words.count + 1) * sizeof *call->words);
    for (size_t i = 0; i < words.count; i++) {
        struct word *word = &call->words[call->count++];
        *word = (struct word){.text = words.at[i], .meaning = PASS};
        int archive = !equal(call->tool.role, "ld") && ends_with(word->text, ".a");
        call->plugin |= equal(word->text, "-plugin");
        if (equal(word->text, "-o") && words.at[i + 1])
            call->output = words.at[i + 1];
        else if (archive && call->output == NULL)
            call->output = word->text;
        else if (word->text[0] != '-' && *suffix_of(word->text))
            word->meaning = INPUT;
        if (call->output && equal(call->output, word->text))
            word->meaning = OUTPUT;
    }
}
