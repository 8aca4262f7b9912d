/* Memory that is never given back, strings, and lists of words: all lengths are unlimited. */

struct span { const char *at; size_t length; };
struct words { char **at; size_t count, room; };
struct buffer { char *at; size_t length, room; };

static struct { char *at; size_t left; } heap;

static void *grab(size_t n)
{
    n = (n + 15) & ~15ul;
    if (n > heap.left) {
        size_t chunk = n > (1ul << 20) ? n : 1ul << 20;
        long got = call6(SYS_mmap, 0, (long)chunk, 3, 0x22, -1, 0);
        if (got < 0 && got > -4096)
            leave(127);
        heap.at = (char *)got;
        heap.left = chunk;
    }
    void *result = heap.at;
    heap.at += n;
    heap.left -= n;
    return result;
}

static size_t length(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

static int same_bytes(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return 0;
    return 1;
}

static int equal(const char *a, const char *b)
{
    size_t n = length(a);
    return n == length(b) && same_bytes(a, b, n);
}

/* What follows `head` in `s`, or NULL where `s` does not begin so. */
static char *after(const char *s, const char *head)
{
    while (*head)
        if (*s++ != *head++)
            return NULL;
    return (char *)s;
}

static int ends_with(const char *s, const char *tail)
{
    size_t n = length(s), m = length(tail);
    return n >= m && same_bytes(s + n - m, tail, m);
}

/* The first `needle` within `n` bytes. */
static const char *find(const char *hay, size_t n, const char *needle)
{
    size_t m = length(needle);
    for (size_t i = 0; m <= n && i <= n - m; i++)
        if (hay[i] == needle[0] && same_bytes(hay + i, needle, m))
            return hay + i;
    return NULL;
}

static const char *base_name(const char *path)
{
    const char *name = path;
    for (; *path; path++)
        if (*path == '/')
            name = path + 1;
    return name;
}

/* The part from the last dot of the last component, or "". */
static const char *suffix_of(const char *path)
{
    const char *dot = "";
    for (path = base_name(path); *path; path++)
        if (*path == '.')
            dot = path;
    return dot;
}

static void append(struct buffer *to, const char *bytes, size_t n)
{
    if (to->length + n + 1 > to->room) {
        size_t room = (to->length + n + 1) * 2;
        char *bigger = grab(room);
        memcpy(bigger, to->at, to->length);
        to->at = bigger;
        to->room = room;
    }
    memcpy(to->at + to->length, bytes, n);
    to->length += n;
    to->at[to->length] = 0;
}

static void append_text(struct buffer *to, const char *s) { append(to, s, length(s)); }

static void append_number(struct buffer *to, unsigned long value, unsigned base, int least)
{
    char digits[32];
    int i = 32;
    while (value > 0 || 32 - i < least || i == 32) {
        digits[--i] = "0123456789abcdef"[value % base];
        value /= base;
    }
    append(to, digits + i, (size_t)(32 - i));
}

static char *copy(const char *bytes, size_t n)
{
    char *result = grab(n + 1);
    memcpy(result, bytes, n);
    result[n] = 0;
    return result;
}

static char *join(const char *a, const char *b, const char *c)
{
    struct buffer out = {0};
    append_text(&out, a);
    append_text(&out, b);
    append_text(&out, c);
    return out.at;
}

/* The list's array always ends with NULL, so that it can be handed to execve. */
static void add(struct words *to, const char *word)
{
    if (to->count + 2 > to->room) {
        size_t room = to->room * 2 + 64;
        char **bigger = grab(room * sizeof *bigger);
        memcpy(bigger, to->at, to->count * sizeof *bigger);
        to->at = bigger;
        to->room = room;
    }
    to->at[to->count++] = (char *)word;
    to->at[to->count] = NULL;
}

/* Reads from where the descriptor stands to its end. */
static struct buffer read_all(int fd)
{
    struct buffer out = {0};
    char *block = grab(65536);
    append(&out, "", 0);
    for (;;) {
        long got = CALL(SYS_read, fd, block, 65536);
        if (got == -EINTR)
            continue;
        if (got <= 0)
            return out;
        append(&out, block, (size_t)got);
    }
}

/* Returns 0 where the file cannot be opened or read (a directory). */
static int read_file(const char *path, struct buffer *out)
{
    char none;
    long fd = CALL(SYS_open, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    int fit = CALL(SYS_read, fd, &none, 0) == 0;
    if (fit)
        *out = read_all((int)fd);
    CALL(SYS_close, fd, 0, 0);
    return fit;
}

static void complain(const char *a, const char *b, const char *c)
{
    struct buffer line = {0};
    append_text(&line, "aarch64-wheels: ");
    append_text(&line, join(a, b, c));
    append_text(&line, "\n");
    write_all(2, line.at, line.length);
}
