/* Questions about the compiler, answered as the image's GCC answers them. */

/* These change what GCC would answer. */
static int is_neutral(const struct word *word)
{
    return !after(word->text, "-B") && !after(word->text, "--sysroot")
        && !(word->meaning == LISTED && after(word->text, "-m"));
}

/* `--print-file-name=a/b` is recorded as `print-file-name=a%b`. */
static char *answer_path(const char *query)
{
    while (*query == '-')
        query++;
    char *name = copy(query, length(query));
    for (char *c = name; *c; c++)
        if (*c == '/')
            *c = '%';
    return join(WORK "/answers/", name, "");
}

static void print_line(const char *text)
{
    char *line = join(text, "\n", "");
    write_all(1, line, length(line));
}

/* GCC gives the first file of this name among its library directories, else the name itself. */
static int answer_file_name(const struct call *call)
{
    struct words directories = {0};
    const char *name = after(call->query, "--print-file-name=");
    if (name == NULL)
        name = after(call->query, "-print-file-name=");
    settings(call->conf, "libdir", &directories);
    if (name == NULL || directories.count == 0)
        return 0;
    for (size_t i = 0; i < directories.count; i++) {
        char *path = join(directories.at[i], "/", name);
        if (CALL(SYS_access, path, F_EXISTS, 0) == 0) {
            print_line(path);
            return 1;
        }
    }
    print_line(name);
    return 1;
}

/* Returns 0 where only the image's compiler knows. */
static int answer(const struct call *call)
{
    struct buffer text;
    for (size_t i = 0; i < call->count; i++)
        if (!is_neutral(&call->words[i]))
            return 0;
    if (!read_file(answer_path(call->query), &text))
        return answer_file_name(call);
    write_all(1, text.at, text.length);
    return 1;
}
