/* The same call for clang: GCC's manners in front, the user's words translated, then what GCC
   puts last. What is added stands where clang does not complain of unused arguments, because
   probes look at such complaints. */

static int linking(const struct call *call)
{
    return call->mode == LINK && call->inputs + call->libraries > call->headers;
}

static int is_precompiling(const struct call *call)
{
    return call->mode <= COMPILE && call->inputs == 1 && call->headers == 1;
}

/* ISO C (not C++) forbids contraction across expressions, and GCC then does none at all. */
static int iso_c(const struct call *call)
{
    return call->standard && !after(call->standard, "gnu") && call->c > 0 && call->cxx == 0;
}

static void add_dialect(const struct call *call, struct words *to)
{
    const char *c = setting(call->conf, "std-c", ""), *cxx = setting(call->conf, "std-c++", "");
    if (!call->standard && call->c && !call->cxx && *c)
        add(to, join("-std=", c, ""));
    if (!call->standard && call->cxx && !call->c && *cxx)
        add(to, join("-std=", cxx, ""));
    if (iso_c(call) && !call->fp_contract)
        add(to, "-ffp-contract=off");
}

static void add_manners(const struct call *call, struct words *to)
{
    add(to, "--start-no-unused-arguments");
    settings(call->conf, "always", to);
    add_dialect(call, to);
    /* What GCC only warns of becomes an error in GCC too where the user wants it so. */
    if (!call->werror && !call->pedantic_errors)
        settings(call->conf, "lenient", to);
    if (!call->nostdinc)
        settings(call->conf, "headers", to);
    if (linking(call) && !call->relocatable)
        settings(call->conf, "link", to);
    add(to, "--end-no-unused-arguments");
}

/* LIBRARY_PATH is for native compilers only in clang's eyes; GCC looks there before its own. */
static void add_library_path(const struct call *call, struct words *to)
{
    const char *value = NULL;
    for (char **entry = call->environment; *entry; entry++)
        if (after(*entry, "LIBRARY_PATH="))
            value = after(*entry, "LIBRARY_PATH=");
    while (value && *value) {
        size_t n = 0;
        while (value[n] && value[n] != ':')
            n++;
        add(to, n ? join("-L", copy(value, n), "") : "-L.");
        value += n + (value[n] == ':');
    }
}

static void add_last(const struct call *call, struct words *to)
{
    if (!linking(call))
        return;
    add(to, "--start-no-unused-arguments");
    if (call->openmp) {
        add(to, "-lgomp");
        add(to, "-pthread");
    }
    add_library_path(call, to);
    settings(call->conf, "link-last", to);
    add(to, "--end-no-unused-arguments");
}

static void add_as_is(const struct word *word, struct words *to)
{
    add(to, word->text);
    if (word->separate)
        add(to, word->value);
}

/* -Wimplicit-fallthrough=3 where clang has no grades: the plain one, or none for grade 0. */
static const char *without_grade(const char *text)
{
    size_t n = length(text);
    const char *rest;
    while (n > 0 && text[n - 1] != '=')
        n--;
    if (n == 0 || after(text, "-Werror=") == text + n || after(text, "-Wno-error=") == text + n)
        return text;
    if (equal(text + n, "0") && (rest = after(text, "-W")))
        return join("-Wno-", copy(rest, n - 3), "");
    return copy(text, n - 1);
}

static void add_warning(const struct word *word, struct words *to)
{
    int off = after(word->text, "-Wno-") && !after(word->text, "-Wno-error=");
    /* GCC never speaks of unused arguments, so nobody may make an error of it. */
    if (ends_with(word->text, "unused-command-line-argument") || word->action == 'd')
        return;
    if (word->action == 0 && off)
        return; /* GCC accepts -Wno-ANYTHING */
    if (word->action == 0)
        add(to, "-Werror=unknown-warning-option"); /* GCC accepts no other it does not know */
    add(to, word->action == 'b' ? without_grade(word->text) : word->text);
}

static void add_input(const struct call *call, const struct word *word, int forced,
                      struct words *to)
{
    /* clang's C++ driver takes .c for C++ as GCC's does, but warns. */
    int as_cxx = !forced && word->language == CXX && equal(call->tool.role, "c++")
        && kind_of(SUFFIXES, COUNT(SUFFIXES), suffix_of(word->text), OBJECT) == C;
    if (as_cxx) {
        add(to, "-x");
        add(to, ends_with(word->text, ".h") ? "c++-header" : "c++");
    }
    add(to, word->text);
    if (as_cxx)
        add(to, "-xnone");
}

static void add_for_linker(const struct word *word, struct words *to)
{
    add(to, "-Xlinker");
    add(to, equal(word->text, "-symbolic") ? "-Bsymbolic" : word->text);
    if (word->separate) {
        add(to, "-Xlinker");
        add(to, word->value);
    }
}

static void add_lto(const struct word *word, struct words *to)
{
    int known = word->value && (equal(word->value, "thin") || equal(word->value, "full"));
    add(to, known ? word->text : "-flto"); /* GCC's values say how many jobs */
}

static void add_word(const struct call *call, const struct word *word, int forced,
                     struct words *to)
{
    switch (word->meaning) {
    case DROP: case OPENMP: case PERMISSIVE: break;
    case DEBUG: add(to, "-g"); break;
    case LTO: add_lto(word, to); break;
    case WARNING: add_warning(word, to); break;
    case FOR_LINKER: add_for_linker(word, to); break;
    case INPUT: add_input(call, word, forced, to); break;
    case OUTPUT:
        add(to, "-o");
        if (word->separate || *word->value)
            add(to, word->value);
        break;
    case STANDARD:
        if (fits(call, word->value ? word->value : "c90"))
            add(to, word->value ? join("-std=", word->value, "") : word->text);
        break;
    case LISTED:
        if (word->action == 'b')
            add(to, without_grade(word->text));
        else if (word->action != 'd')
            add_as_is(word, to);
        break;
    default: add_as_is(word, to); break;
    }
}

static struct words native_call(const struct call *call)
{
    struct words to = {0};
    int forced = 0;
    add(&to, call->tool.name); /* clang calls itself by this in its messages */
    add(&to, "clang");
    if (equal(call->tool.role, "c++"))
        add(&to, "--driver-mode=g++");
    if (equal(call->tool.role, "cpp"))
        add(&to, "--driver-mode=cpp");
    add_manners(call, &to);
    for (size_t i = 0; i < call->count; i++) {
        if (call->words[i].meaning == LANGUAGE)
            forced = !equal(call->words[i].value, "none");
        add_word(call, &call->words[i], forced, &to);
    }
    if (is_precompiling(call) && !call->output) {
        add(&to, "-o"); /* clang would name it otherwise */
        add(&to, join(call->first_input, ".gch", ""));
    }
    add_last(call, &to);
    return to;
}
