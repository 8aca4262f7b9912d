/* Response files, read as GCC reads them (libiberty's expandargv). */

static int is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Takes one word off `*at`; quotes group, a backslash takes the next character as it is. */
static char *next_word(const char **at)
{
    struct buffer word = {0};
    char quote = 0;
    const char *s = *at;
    append(&word, "", 0);
    for (; *s && (quote || !is_space(*s)); s++) {
        if (*s == '\\') {
            if (s[1])
                append(&word, ++s, 1);
        } else if (quote) {
            if (*s == quote)
                quote = 0;
            else
                append(&word, s, 1);
        } else if (*s == '\'' || *s == '"') {
            quote = *s;
        } else {
            append(&word, s, 1);
        }
    }
    *at = s;
    return word.at;
}

static void expand_word(struct words *to, const char *word, int depth)
{
    struct buffer text;
    /* What cannot be read is an argument like any other; so is what names itself for ever. */
    if (word[0] != '@' || depth > 200 || !read_file(word + 1, &text)) {
        add(to, word);
        return;
    }
    for (const char *at = text.at;;) {
        while (is_space(*at))
            at++;
        if (!*at)
            return;
        expand_word(to, next_word(&at), depth + 1);
    }
}

static struct words expand(char **argv)
{
    struct words out = {0};
    add(&out, "");
    out.count = 0;
    out.at[0] = NULL;
    for (; *argv; argv++)
        expand_word(&out, *argv, 0);
    return out;
}

/* The words as one response file's text, each character that means something taken as it is. */
static struct buffer quote_all(char **words)
{
    struct buffer out = {0};
    append(&out, "", 0);
    for (; *words; words++) {
        append(&out, "\"", 1);
        for (const char *c = *words; *c; c++) {
            if (*c == '\\' || *c == '"')
                append(&out, "\\", 1);
            append(&out, c, 1);
        }
        append(&out, "\"\n", 2);
    }
    return out;
}
