/* What configure.py found in the image: lines `key value`, then the sorted table of options. */

struct tool { const char *name, *role, *real; };

struct conf {
    struct buffer text;
    struct words keys, values; /* in the file's order, up to the line `options` */
    const char *options, *end; /* lines `-option action`, sorted bytewise */
};

static int load_conf(struct conf *conf, const char *path)
{
    if (!read_file(path, &conf->text))
        return 0;
    char *at = conf->text.at, *end = at + conf->text.length;
    conf->options = conf->end = end;
    while (at < end) {
        char *line = at, *value = NULL;
        for (; at < end && *at != '\n'; at++)
            if (*at == ' ' && value == NULL) {
                *at = 0;
                value = at + 1;
            }
        *at++ = 0;
        if (equal(line, "options")) {
            conf->options = at;
            return 1;
        }
        add(&conf->keys, line);
        add(&conf->values, value ? value : "");
    }
    return 1;
}

static const char *setting(const struct conf *conf, const char *key, const char *fallback)
{
    for (size_t i = 0; i < conf->keys.count; i++)
        if (equal(conf->keys.at[i], key))
            return conf->values.at[i];
    return fallback;
}

/* Adds every value of `key`. */
static void settings(const struct conf *conf, const char *key, struct words *to)
{
    for (size_t i = 0; i < conf->keys.count; i++)
        if (equal(conf->keys.at[i], key))
            add(to, conf->values.at[i]);
}

/* A line `tool NAME ROLE PATH` for this name. */
static int find_tool(const struct conf *conf, const char *name, struct tool *tool)
{
    for (size_t i = 0; i < conf->keys.count; i++) {
        char *rest = equal(conf->keys.at[i], "tool") ? after(conf->values.at[i], name) : NULL;
        if (rest == NULL || *rest != ' ')
            continue;
        char *role = rest + 1, *real = role;
        while (*real && *real != ' ')
            real++;
        *tool = (struct tool){name, copy(role, (size_t)(real - role)), *real ? real + 1 : real};
        return 1;
    }
    return 0;
}

static int compare(const char *name, size_t n, const char *line, size_t m)
{
    for (size_t i = 0; i < n && i < m; i++)
        if (name[i] != line[i])
            return (unsigned char)name[i] - (unsigned char)line[i];
    return n < m ? -1 : n > m;
}

/* What the table of options says of exactly this name: its letter, or 0. */
static char listed(const struct conf *conf, const char *name, size_t n)
{
    const char *low = conf->options, *high = conf->end;
    while (low < high) {
        const char *line = low + (high - low) / 2, *stop;
        while (line > low && line[-1] != '\n')
            line--;
        for (stop = line; stop < high && *stop != '\n' && *stop != ' ';)
            stop++;
        int order = compare(name, n, line, (size_t)(stop - line));
        if (order == 0)
            return stop + 1 < high ? stop[1] : 0;
        while (stop < high && *stop != '\n')
            stop++;
        if (order < 0)
            high = line;
        else
            low = stop < high ? stop + 1 : high;
    }
    return 0;
}
