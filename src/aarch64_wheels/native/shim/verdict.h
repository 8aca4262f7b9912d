/* What clang's messages say of a failed call: NULL where its verdict stands, else the reason for
   asking the image's own compiler. */

static const char FINAL[] = "";

/* A builtin function that GCC has and clang lacks; without GCC's list, it may have any. */
static const char *builtin_verdict(const struct call *call, const char *name)
{
    int unlisted = !is_listed(call, name) && is_listed(call, "__builtin_abs");
    return unlisted ? FINAL : join("builtin ", name, "");
}

/* An option GCC does not know either is the user's error; `c` stands for clang alone. */
static const char *option_verdict(const struct call *call, const char *line, size_t n)
{
    const char *name = quoted(line, n, 1);
    if (name[0] != '-')
        name = quoted(line, n, 2);
    const struct option *option = look_up(name);
    char action = action_of(call->conf, name);
    int known = option ? option->meaning != STANDARD || action : action && action != 'c';
    return known ? join("unsupported-option ", name, "") : FINAL;
}

static const char *linker_option_verdict(const struct call *call, const char *line, size_t n)
{
    const char *name = quoted(line, n, 1);
    size_t end = 0;
    while (*name == '-')
        name++;
    while (name[end] && name[end] != '=')
        end++;
    const char *key = join("ld:", copy(name, end), "");
    return listed(call->conf, key, length(key)) ? join("unknown-option ", name, "") : FINAL;
}

/* `-Werror` alone makes errors of warnings that GCC may not have; `-Werror=X` asks for this one. */
static const char *warning_verdict(const struct call *call, const char *name)
{
    if (after(name, "-Wunknown-warning-option"))
        return FINAL;
    for (size_t i = 0; i < call->count; i++) {
        const char *asked = after(call->words[i].text, "-Werror=");
        if (asked && equal(join("-W", asked, ""), name))
            return FINAL;
    }
    return call->werror ? join("werror ", name, "") : FINAL;
}

/* clang prints the line of a #error below its text. */
static int is_hash_error(const char *next, size_t m)
{
    const char *hash = find(next, m, "#");
    return hash && find(hash, (size_t)(next + m - hash), "error");
}

/* A text about compilers may be about clang. */
static const char *hash_error_verdict(const char *line, size_t n, const char *next, size_t m)
{
    static const char *const ABOUT[] = {"gcc", "GCC", "g++", "G++", "GNU C", "clang"};
    if (!is_hash_error(next, m))
        return NULL;
    for (size_t i = 0; i < COUNT(ABOUT); i++)
        if (find(line, n, ABOUT[i]))
            return "#error";
    return FINAL;
}

static const char *other(const char *message, size_t n)
{
    return join("error ", copy(message, n < 80 ? n : 80), "");
}

static int is_about_option(const char *message, size_t n)
{
    static const char *const TEXTS[] = {"unknown argument", "unsupported option", "invalid value",
                                        "unsupported argument", "invalid integral value"};
    for (size_t i = 0; i < COUNT(TEXTS); i++)
        if (find(message, n, TEXTS[i]))
            return 1;
    return 0;
}

static int is_about_builtin(const char *message, size_t n)
{
    return find(message, n, "unknown builtin") || find(message, n, "undeclared identifier")
        || find(message, n, "undefined symbol: __builtin_");
}

static size_t name_length(const char *at, const char *end)
{
    size_t n = 0;
    for (char c; at + n < end; n++) {
        c = at[n] | 32;
        if (at[n] != '_' && !(c >= 'a' && c <= 'z') && !(at[n] >= '0' && at[n] <= '9'))
            break;
    }
    return n;
}

static int is_assembly(const struct call *call)
{
    return call->sources > call->c + call->cxx;
}

/* One error line: NULL where it says nothing, FINAL, or a reason. */
static const char *line_verdict(const struct call *call, const char *line, size_t n,
                                const char *next, size_t m)
{
    const char *message = find(line, n, "error: "), *verdict, *group, *builtin;
    if (message == NULL || find(line, n, "linker command failed"))
        return NULL;
    message += 7;
    size_t left = (size_t)(line + n - message);
    if ((group = find(message, left, "[-Werror,")) != NULL)
        return warning_verdict(call, copy(group + 9, (size_t)(line + n - group) - 10));
    if (find(line, n, "ld.lld: error: unknown argument"))
        return linker_option_verdict(call, message, left);
    if (find(message, left, "unknown target CPU"))
        return option_verdict(call, "'-mcpu='", 8);
    if (is_about_option(message, left))
        return option_verdict(call, message, left);
    if ((verdict = hash_error_verdict(line, n, next, m)) != NULL)
        return verdict;
    if ((builtin = find(message, left, "__builtin_")) != NULL && is_about_builtin(message, left))
        return builtin_verdict(call, copy(builtin, name_length(builtin, line + n)));
    if (find(line, n, "<inline asm>"))
        return "inline-asm";
    if ((verdict = hint_of(message, left)) != NULL)
        return verdict;
    if (is_assembly(call) && !find(message, left, "file"))
        return "assembler"; /* GNU as knows more than clang's */
    return is_genuine(call, message, left) ? FINAL : other(message, left);
}

/* Could -fpermissive make GCC accept it? Meson gives it to every probe of C++. */
static int is_relaxable(const char *line, size_t n)
{
    static const char *const NEVER[] = {
        "file not found", "o such file", "undefined symbol", "undeclared identifier",
        "unknown type name", "no type named", "no member named", "unable to find library",
        "no matching ", "no viable ", "static assertion", "with a negative size",
    };
    for (size_t i = 0; i < COUNT(NEVER); i++)
        if (find(line, n, NEVER[i]))
            return 0;
    return 1;
}

static size_t line_length(const char *at, const char *end)
{
    size_t n = 0;
    while (at + n < end && at[n] != '\n')
        n++;
    return n;
}

/* Without the colours that -fdiagnostics-color=always asks for. */
static struct buffer uncoloured(const struct buffer *text)
{
    struct buffer out = {0};
    append(&out, "", 0);
    for (size_t i = 0; i < text->length; i++) {
        if (text->at[i] != '\033') {
            append(&out, text->at + i, 1);
            continue;
        }
        while (i < text->length && text->at[i] != 'm' && text->at[i] != 'K')
            i++;
    }
    return out;
}

/* The first reason among the messages; NULL where all are final or the call succeeded. */
static const char *reason_after(const struct call *call, int wait_status, const struct buffer *said)
{
    struct buffer text = uncoloured(said);
    const char *at = text.at, *end = at + text.length;
    int failed = 0, relaxable = find(at, text.length, "dependent base class") != NULL;
    if (wait_status == 0) {
        /* A builtin clang lacks would be taken for an undeclared function. */
        const char *unknown = find(at, text.length, "use of unknown builtin '"), *verdict = FINAL;
        if (unknown)
            verdict = builtin_verdict(call, quoted(unknown, (size_t)(end - unknown), 1));
        return *verdict ? verdict : NULL;
    }
    while (at < end) {
        size_t n = line_length(at, end);
        const char *next = at + n < end ? at + n + 1 : end;
        size_t m = line_length(next, end);
        const char *verdict = line_verdict(call, at, n, next, m);
        if (verdict != NULL && *verdict)
            return verdict;
        failed |= verdict != NULL;
        relaxable |= verdict != NULL && is_relaxable(at, n) && !is_hash_error(next, m);
        at = next;
    }
    if (!failed)
        return "clang-crash";
    return call->permissive && relaxable ? "-fpermissive" : NULL;
}
