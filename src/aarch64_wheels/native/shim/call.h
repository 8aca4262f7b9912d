/* One call of the compiler, understood: its words, and what follows from all of them together. */

enum mode { LINK, COMPILE, ASSEMBLE, PREPROCESS, CHECK };
enum language { NONE, C, CXX, OTHER_SOURCE, FOREIGN, OBJECT };

struct word {
    const char *text, *value; /* the word, and the argument it carries */
    int separate;             /* the argument stood in a word of its own */
    enum meaning meaning;
    enum language language;   /* of an input */
    char action;              /* what the table of options says, 0 where it knows nothing */
};

struct call {
    struct tool tool;
    const struct conf *conf;
    char **argv;          /* as they came, without the name */
    struct word *words;
    size_t count;
    enum mode mode;
    const char *output, *first_input, *standard, *query;
    const char *foreign;  /* the first thing that only the image's compiler can do */
    size_t inputs, libraries, c, cxx, sources, headers;
    int stdin_input, werror, pedantic_errors, permissive, openmp, lto, nostdinc, fp_contract;
    int ask_gcc, relocatable, plugin;
    char **environment;
};

struct kind { const char *name; enum language language; };

static const struct kind SUFFIXES[] = {
    {".c", C}, {".i", C}, {".h", C},
    {".cc", CXX}, {".cp", CXX}, {".cxx", CXX}, {".cpp", CXX}, {".CPP", CXX}, {".c++", CXX},
    {".C", CXX}, {".ii", CXX}, {".H", CXX}, {".hh", CXX}, {".hp", CXX}, {".hxx", CXX},
    {".hpp", CXX}, {".HPP", CXX}, {".h++", CXX}, {".tcc", CXX},
    {".s", OTHER_SOURCE}, {".S", OTHER_SOURCE}, {".sx", OTHER_SOURCE},
    {".m", FOREIGN}, {".mi", FOREIGN}, {".mm", FOREIGN}, {".M", FOREIGN}, {".mii", FOREIGN},
    {".f", FOREIGN}, {".for", FOREIGN}, {".ftn", FOREIGN}, {".F", FOREIGN}, {".FOR", FOREIGN},
    {".fpp", FOREIGN}, {".FPP", FOREIGN}, {".FTN", FOREIGN}, {".f90", FOREIGN}, {".f95", FOREIGN},
    {".f03", FOREIGN}, {".f08", FOREIGN}, {".F90", FOREIGN}, {".F95", FOREIGN}, {".F03", FOREIGN},
    {".F08", FOREIGN}, {".adb", FOREIGN}, {".ads", FOREIGN}, {".d", FOREIGN}, {".dd", FOREIGN},
    {".di", FOREIGN}, {".go", FOREIGN}, {".mod", FOREIGN}, {".brig", FOREIGN},
};

static const struct kind LANGUAGES[] = {
    {"none", NONE}, {"c", C}, {"c-header", C}, {"cpp-output", C}, {"c++", CXX},
    {"c++-header", CXX}, {"c++-cpp-output", CXX}, {"c++-system-header", CXX},
    {"assembler", OTHER_SOURCE}, {"assembler-with-cpp", OTHER_SOURCE},
};

static enum language kind_of(const struct kind *kinds, size_t n, const char *name,
                             enum language otherwise)
{
    for (size_t i = 0; i < n; i++)
        if (equal(kinds[i].name, name))
            return kinds[i].language;
    return otherwise;
}
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* GCC's list says what an option means that the driver's table does not have. */
static char action_of(const struct conf *conf, const char *text)
{
    size_t n = length(text), m = 0;
    char action = listed(conf, text, n);
    while (!action && m < n && text[m] != '=')
        m++;
    if (!action && m < n)
        action = listed(conf, text, m + 1); /* -fabi-version= */
    for (m = n; !action && m > 3; m--)
        if (text[m - 1] == '-')
            action = listed(conf, text, m); /* -ftemplate-depth-128 */
    return action;
}

/* The warning that `-Werror=X`, `-Wno-error=X` and `-Wno-X` speak of, as `-WX`. */
static const char *warning_of(const char *text)
{
    const char *rest;
    if ((rest = after(text, "-Werror=")) || (rest = after(text, "-Wno-error="))
        || (rest = after(text, "-Wno-")))
        return join("-W", rest, "");
    return text;
}

static enum language input_language(const struct call *call, const char *name, const char *forced)
{
    enum language language = kind_of(SUFFIXES, COUNT(SUFFIXES), suffix_of(name), OBJECT);
    if (forced)
        return kind_of(LANGUAGES, COUNT(LANGUAGES), forced, FOREIGN);
    if (equal(name, "-") || (language == OBJECT && equal(call->tool.role, "cpp")))
        return C;
    return language == C && equal(call->tool.role, "c++") ? CXX : language;
}

/* A header on its own is precompiled, not linked. */
static int is_header(const char *name, const char *forced)
{
    static const char *const HEADERS[] = {".h", ".H", ".hh", ".hp", ".hxx", ".hpp",
                                          ".HPP", ".h++", ".tcc"};
    for (size_t i = 0; !forced && i < COUNT(HEADERS); i++)
        if (equal(suffix_of(name), HEADERS[i]))
            return 1;
    return forced && ends_with(forced, "-header");
}

static void note_input(struct call *call, struct word *word, const char *forced)
{
    word->language = input_language(call, word->text, forced);
    if (equal(call->tool.role, "cpp") && call->inputs == 1 && !call->output) {
        word->meaning = OUTPUT; /* `cpp IN OUT` */
        word->value = call->output = word->text;
        return;
    }
    if (call->inputs++ == 0)
        call->first_input = word->text;
    call->c += word->language == C;
    call->cxx += word->language == CXX;
    call->sources += word->language != OBJECT;
    call->headers += is_header(word->text, forced);
    call->stdin_input |= equal(word->text, "-") || equal(word->text, "/dev/stdin");
    if (word->language == FOREIGN && !call->foreign)
        call->foreign = forced ? join("language ", forced, "") : "language of the source";
    if (word->language == FOREIGN && after(suffix_of(word->text), ".f"))
        call->foreign = "fortran";
    if (word->language == FOREIGN && after(suffix_of(word->text), ".F"))
        call->foreign = "fortran";
}

static void note_mode(struct call *call, const char *text)
{
    enum mode mode = equal(text, "-c") ? COMPILE : equal(text, "-S") ? ASSEMBLE
        : equal(text, "-fsyntax-only") ? CHECK : PREPROCESS;
    if (mode > call->mode)
        call->mode = mode; /* the earliest stop wins, as in both compilers */
}

static void note_warning(struct call *call, struct word *word)
{
    const char *text = word->text;
    if (equal(text, "-Werror") || equal(text, "-Wno-error"))
        call->werror = equal(text, "-Werror");
    word->action = action_of(call->conf, warning_of(text));
    if (!word->action)
        word->action = action_of(call->conf, text);
}

static void note(struct call *call, struct word *word, const char **forced)
{
    switch (word->meaning) {
    case INPUT: note_input(call, word, *forced); break;
    case OUTPUT: call->output = word->value; break;
    case MODE: note_mode(call, word->text); break;
    case LANGUAGE: *forced = equal(word->value, "none") ? NULL : word->value; break;
    case WARNING: note_warning(call, word); break;
    case STANDARD: call->standard = word->value ? word->value : "c90"; break;
    case PEDANTIC: call->pedantic_errors = 1; break;
    case PERMISSIVE: call->permissive = 1; break;
    case FP_CONTRACT: call->fp_contract = 1; break;
    case NOSTDINC: call->nostdinc = 1; break;
    case LTO: call->lto = 1; break;
    case OPENMP: call->openmp = 1; break;
    case QUERY: call->query = word->text; break;
    case ASK_GCC: call->ask_gcc = 1; break;
    case RELOCATABLE: call->relocatable = 1; break;
    case NEVER_NATIVE: call->foreign = word->text; break;
    case LISTED:
        if (word->action == 'f')
            call->foreign = word->text;
        break;
    case LINK_LIBRARY: call->libraries++; break;
    default: break;
    }
}

static struct word read_word(const struct call *call, char **at)
{
    const struct option *option = look_up(*at);
    struct word word = {.text = *at, .meaning = INPUT};
    if ((*at)[0] != '-' || !(*at)[1])
        return word;
    if (option == NULL) {
        word.action = action_of(call->conf, *at);
        word.meaning = word.action ? LISTED : UNKNOWN;
        return word;
    }
    size_t n = length(option->name);
    word.meaning = option->meaning;
    if (option->form == JOINED || (option->form == EITHER && (*at)[n]))
        word.value = *at + n;
    else if (option->form != ALONE) {
        word.separate = at[1] != NULL;
        word.value = at[1] ? at[1] : "";
    }
    return word;
}

/* GCC ignores a C++ dialect for C sources, and a C dialect for C++ ones. */
static int fits(const struct call *call, const char *standard)
{
    int cxx = find(standard, length(standard), "++") != NULL;
    return cxx ? call->cxx || !call->c : call->c || !call->cxx;
}

static void understand(struct call *call)
{
    struct words expanded = expand(call->argv);
    const char *forced = NULL;
    call->words = grab((expanded.count + 1) * sizeof *call->words);
    call->mode = equal(call->tool.role, "cpp") ? PREPROCESS : LINK;
    for (char **at = expanded.at; *at; at++) {
        struct word *word = &call->words[call->count++];
        *word = read_word(call, at);
        note(call, word, &forced);
        at += word->separate;
    }
    if (call->standard && !fits(call, call->standard))
        call->standard = NULL;
}
