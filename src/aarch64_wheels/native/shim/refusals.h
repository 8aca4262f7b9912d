/* What GCC would refuse and clang would not: refused without running either, so that a project's
   questions get GCC's answers. */

/* Does GCC have it? */
static int is_listed(const struct call *call, const char *name)
{
    char action = listed(call->conf, name, length(name));
    return action && action != 'c';
}

/* `-march=armv8-a+sve+nocrypto`: the base, then what follows each plus. */
static int gcc_knows_machine(const struct call *call, const struct word *word)
{
    const char *at = word->text;
    size_t n = 0;
    if (!is_listed(call, after(at, "-march=") ? "-march=armv8-a" : "-mcpu=generic"))
        return 1; /* this GCC gives no list */
    while (at[n] && at[n] != '+')
        n++;
    if (!listed(call->conf, at, n))
        return 0;
    for (at += n; *at == '+'; at += n + 1) {
        for (n = 0; at[n + 1] && at[n + 1] != '+';)
            n++;
        const char *name = copy(at + 1, n), *off = after(name, "no");
        if (is_listed(call, "+fp") && !is_listed(call, join("+", name, ""))
            && !(off && is_listed(call, join("+", off, ""))))
            return 0;
    }
    return 1;
}

/* The newest dialect of the same family that GCC has: CMake and Meson choose by clang's version. */
static const char *gcc_standard(const struct call *call, const char *value)
{
    static const char *const FAMILIES[] = {"gnu++", "c++", "gnu", "c"};
    static const char *const YEARS[] = {"26", "2c", "2y", "23", "2b", "2x",
                                        "20", "2a", "17", "14", "11"};
    if (is_listed(call, join("-std=", value, "")))
        return value;
    for (size_t i = 0; i < COUNT(FAMILIES); i++)
        for (size_t j = 0; after(value, FAMILIES[i]) && j < COUNT(YEARS); j++) {
            const char *known = join(FAMILIES[i], YEARS[j], "");
            if (is_listed(call, join("-std=", known, "")))
                return known;
        }
    return value;
}

/* autoconf asks, and would go on with a dialect that GCC does not have; nobody else asks. */
static int is_strange_standard(const struct call *call, const struct word *word)
{
    return word->meaning == STANDARD && word->value && call->first_input
        && after(base_name(call->first_input), "conftest.")
        && !equal(gcc_standard(call, word->value), word->value);
}

static int is_strange_library(const struct call *call, const struct word *word)
{
    return word->meaning == STDLIB && !equal(word->value, "libstdc++")
        && !is_listed(call, "-stdlib=");
}

static int refuse(const struct call *call, const char *a, const char *b, const char *c)
{
    char *line = join(join(call->tool.name, ": error: ", a), join(b, c, ""), "\n");
    write_all(2, line, length(line));
    return 1;
}

/* Says why, as GCC does, and returns 1 where GCC would refuse the call. */
static int is_refused(const struct call *call)
{
    for (size_t i = 0; i < call->count; i++) {
        const struct word *word = &call->words[i];
        if (word->meaning == MACHINE && equal(word->value, "native")) {
            complain(call->tool.name, ": ", join(word->text, " describes a machine that does not"
                     " exist here: name an architecture, for instance -march=armv8-a", ""));
            return 1;
        }
        if (word->meaning == MACHINE && !gcc_knows_machine(call, word))
            return refuse(call, "unknown value for '", word->text, "'");
        if (is_strange_standard(call, word) || is_strange_library(call, word))
            return refuse(call, "unrecognized command-line option '", word->text, "'");
    }
    return 0;
}
