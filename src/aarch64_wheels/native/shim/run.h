/* Children: what they say is held back until it is known which compiler's word counts. */

struct child { const char *path; char **argv; int in, out, err; /* descriptors, or -1 */ };

static int memory_file(void)
{
    return (int)CALL(SYS_memfd_create, "aarch64-wheels", MFD_CLOEXEC, 0);
}

static void redirect(int from, int to)
{
    if (from < 0)
        return;
    CALL(SYS_lseek, from, 0, 0);
    CALL(SYS_dup2, from, to, 0);
}

_Noreturn static void become(const char *path, char **argv, char **environment)
{
    CALL(SYS_execve, path, argv, environment);
    complain("cannot run ", path, "");
    leave(127);
}

/* Runs it to its end; a shim that is killed takes the child along. Returns the wait status. */
static int run(const struct child *child, char **environment)
{
    int status = 127 << 8;
    long self = CALL(SYS_getpid, 0, 0, 0), pid = CALL(SYS_fork, 0, 0, 0);
    if (pid == 0) {
        CALL(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0);
        if (CALL(SYS_getppid, 0, 0, 0) != self)
            leave(127);
        redirect(child->in, 0);
        redirect(child->out, 1);
        redirect(child->err, 2);
        become(child->path, child->argv, environment);
    }
    if (pid < 0) {
        complain("cannot start ", child->path, "");
        return status;
    }
    while (call6(SYS_wait4, pid, (long)&status, 0, 0, 0, 0) == -EINTR)
        continue;
    return status;
}

static struct buffer content(int fd)
{
    struct buffer none = {"", 0, 0};
    if (fd < 0)
        return none;
    CALL(SYS_lseek, fd, 0, 0);
    return read_all(fd);
}

static void replay(int fd, int to)
{
    struct buffer text = content(fd);
    write_all(to, text.at, text.length);
}

/* Standard input in memory, so that a second compiler can read it too. */
static int keep_input(void)
{
    int fd = memory_file();
    struct buffer text = read_all(0);
    write_all(fd, text.at, text.length);
    return fd;
}

/* Words too long for one execve travel as a response file in memory. */
static struct words shorten(struct words words, size_t keep)
{
    struct words few = {0};
    size_t total = 0;
    for (size_t i = 0; i < words.count; i++)
        total += length(words.at[i]) + 9;
    if (total < 100000)
        return words;
    int fd = (int)CALL(SYS_memfd_create, "aarch64-wheels", 0, 0); /* the child reads it */
    struct buffer text = quote_all(words.at + keep), name = {0};
    write_all(fd, text.at, text.length);
    append_text(&name, "@/proc/self/fd/");
    append_number(&name, (unsigned long)fd, 10, 1);
    for (size_t i = 0; i < keep; i++)
        add(&few, words.at[i]);
    add(&few, name.at);
    return few;
}
