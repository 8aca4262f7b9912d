/* One line for each call, appended in one write, so that parallel calls do not mix. */

struct result { const char *how, *reason; int wait_status; long began; };

static void append_name(struct buffer *line, const char *name)
{
    append(line, "\t", 1);
    for (; *name; name++)
        append(line, (unsigned char)*name < 32 || *name == 127 ? "?" : name, 1);
}

static int is_name(const struct word *word)
{
    return word->meaning == INPUT || word->meaning == OUTPUT || word->meaning == DEPENDENCY;
}

/* FNV-1a over everything but the names of inputs and outputs: equal flags, equal hash. */
static unsigned long flags_hash(const struct call *call)
{
    unsigned long hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < call->count; i++) {
        const struct word *word = &call->words[i];
        const char *parts[2] = {word->text, word->separate ? word->value : NULL};
        for (int part = 0; part < 2 && !is_name(word) && parts[part]; part++)
            for (const char *c = parts[part];; c++) {
                hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
                if (!*c)
                    break;
            }
    }
    return hash;
}

/* Where the result goes: as told, or as both compilers name it by themselves. */
static const char *output_of(const struct call *call)
{
    if (call->output)
        return call->output;
    if (is_precompiling(call))
        return join(call->first_input, ".gch", "");
    if (call->mode == LINK && call->inputs)
        return "a.out";
    if ((call->mode != COMPILE && call->mode != ASSEMBLE) || call->inputs != 1)
        return "-";
    const char *name = base_name(call->first_input);
    size_t stem = length(name) - length(suffix_of(name));
    return join(copy(name, stem), call->mode == COMPILE ? ".o" : ".s", "");
}

static void record(const struct call *call, const struct result *result)
{
    struct buffer line = {0};
    char cwd[4096];
    int status = result->wait_status, sig = status & 0x7f;
    long fd = CALL(SYS_open, WORK "/calls", O_WRONLY | O_APPEND | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    append_text(&line, result->how);
    append_name(&line, call->tool.role);
    append(&line, "\t", 1);
    append_number(&line, (unsigned long)(sig ? 128 + sig : (status >> 8) & 0xff), 10, 1);
    append(&line, "\t", 1);
    append_number(&line, (unsigned long)(milliseconds() - result->began), 10, 1);
    append_name(&line, result->reason ? result->reason : "-");
    append(&line, "\t", 1);
    append_number(&line, flags_hash(call), 16, 16);
    append_name(&line, CALL(SYS_getcwd, cwd, sizeof cwd, 0) > 0 ? cwd : "-");
    append_name(&line, output_of(call));
    for (size_t i = 0; i < call->count; i++)
        if (call->words[i].meaning == INPUT)
            append_name(&line, call->words[i].text);
    append(&line, "\n", 1);
    write_all((int)fd, line.at, line.length);
}
