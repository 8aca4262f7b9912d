/* The options of the compilers' drivers that take an argument or mean something to the shim.
   Every other option stands in shim.conf's table, made from the image's `gcc --help`. */

enum form {
    ALONE,    /* -c */
    JOINED,   /* -O2: the argument follows in the same word, and may be empty */
    SEPARATE, /* -Xlinker X: the next word */
    EITHER,   /* -o X or -oX */
};

enum meaning {
    PASS, OUTPUT, MODE, LANGUAGE, DEPENDENCY, LINKER, DROP, STANDARD, MACHINE, WARNING, PERMISSIVE,
    LTO, OPENMP, QUERY, ASK_GCC, NEVER_NATIVE, DEBUG, RELOCATABLE, PEDANTIC, FP_CONTRACT, NOSTDINC,
    LINK_LIBRARY, FOR_LINKER, CLANGS_OWN, STDLIB, INPUT, LISTED, UNKNOWN,
};

struct option { const char *name; enum form form; enum meaning meaning; };

static const struct option OPTIONS[] = {
    {"-o", EITHER, OUTPUT}, {"--output", SEPARATE, OUTPUT}, {"--output=", JOINED, OUTPUT},
    {"-c", ALONE, MODE}, {"-S", ALONE, MODE}, {"-E", ALONE, MODE}, {"-M", ALONE, MODE},
    {"-MM", ALONE, MODE}, {"-fsyntax-only", ALONE, MODE}, {"-x", EITHER, LANGUAGE},
    /* Both compilers take these as they are. */
    {"--include", SEPARATE, PASS}, {"--imacros", SEPARATE, PASS},
    {"--define-macro", SEPARATE, PASS}, {"--undefine-macro", SEPARATE, PASS},
    {"--include-directory", SEPARATE, PASS},
    {"-I", EITHER, PASS}, {"-D", EITHER, PASS}, {"-U", EITHER, PASS}, {"-A", EITHER, PASS},
    {"-B", EITHER, PASS}, {"-iquote", EITHER, PASS}, {"-isystem", EITHER, PASS},
    {"-idirafter", EITHER, PASS}, {"-include", EITHER, PASS}, {"-imacros", EITHER, PASS},
    {"-iprefix", EITHER, PASS}, {"-iwithprefix", EITHER, PASS}, {"-isysroot", EITHER, PASS},
    {"-iwithprefixbefore", EITHER, PASS}, {"--sysroot", SEPARATE, PASS},
    {"--sysroot=", JOINED, PASS},
    {"-Xpreprocessor", SEPARATE, PASS}, {"-Xassembler", SEPARATE, PASS}, {"-Wa,", JOINED, PASS},
    {"-Wp,", JOINED, PASS}, {"-O", JOINED, PASS}, {"-d", JOINED, PASS}, {"-pipe", ALONE, PASS},
    {"-C", ALONE, PASS}, {"-CC", ALONE, PASS}, {"-P", ALONE, PASS}, {"-H", ALONE, PASS},
    {"-w", ALONE, PASS}, {"-undef", ALONE, PASS}, {"-trigraphs", ALONE, PASS},
    {"-save-temps", ALONE, PASS}, {"-save-temps=", JOINED, PASS}, {"-pg", ALONE, PASS},
    {"-nostdinc", ALONE, NOSTDINC},
    {"-nostdinc++", ALONE, PASS}, {"-no-canonical-prefixes", ALONE, PASS}, {"-Q", ALONE, DROP},
    {"-MD", ALONE, PASS}, {"-MMD", ALONE, PASS}, {"-MP", ALONE, PASS}, {"-MG", ALONE, PASS},
    {"-MF", EITHER, DEPENDENCY}, {"-MT", EITHER, DEPENDENCY}, {"-MQ", EITHER, DEPENDENCY},
    /* The linker's. */
    {"-L", EITHER, PASS}, {"-l", EITHER, LINK_LIBRARY}, {"-Wl,", JOINED, LINKER},
    {"-Xlinker", SEPARATE, LINKER}, {"-T", EITHER, LINKER}, {"-u", EITHER, LINKER},
    {"-z", EITHER, LINKER}, {"-e", EITHER, LINKER}, {"-h", EITHER, FOR_LINKER},
    {"-F", EITHER, PASS},
    {"-Ttext", EITHER, FOR_LINKER}, {"-Tdata", EITHER, FOR_LINKER}, {"-Tbss", EITHER, FOR_LINKER},
    {"-shared", ALONE, PASS}, {"-static", ALONE, PASS}, {"-r", ALONE, RELOCATABLE},
    {"-s", ALONE, PASS},
    {"-t", ALONE, PASS}, {"-N", ALONE, FOR_LINKER}, {"-n", ALONE, FOR_LINKER},
    {"-rdynamic", ALONE, PASS}, {"-symbolic", ALONE, FOR_LINKER}, {"-pie", ALONE, PASS},
    {"-no-pie", ALONE, PASS},
    {"-static-pie", ALONE, PASS}, {"-static-libgcc", ALONE, PASS}, {"-shared-libgcc", ALONE, PASS},
    {"-static-libstdc++", ALONE, PASS}, {"-nostdlib", ALONE, PASS}, {"-nostdlib++", ALONE, PASS},
    {"-nodefaultlibs", ALONE, PASS}, {"-nostartfiles", ALONE, PASS}, {"-nolibc", ALONE, PASS},
    {"-pthread", ALONE, PASS}, {"-pthreads", ALONE, PASS}, {"-fuse-ld=", JOINED, DROP},
    {"-static-libgfortran", ALONE, DROP}, {"-static-libasan", ALONE, DROP},
    {"-static-libtsan", ALONE, DROP}, {"-static-libubsan", ALONE, DROP},
    {"-static-liblsan", ALONE, DROP},
    /* clang's own, from projects that saw its name in --version. */
    {"-Xclang", SEPARATE, CLANGS_OWN}, {"-mllvm", EITHER, CLANGS_OWN},
    {"--target=", JOINED, CLANGS_OWN}, {"-target", SEPARATE, CLANGS_OWN},
    {"-rtlib=", JOINED, CLANGS_OWN}, {"--rtlib=", JOINED, CLANGS_OWN},
    {"--unwindlib=", JOINED, CLANGS_OWN}, {"-unwindlib=", JOINED, CLANGS_OWN},
    {"-stdlib=", JOINED, STDLIB}, {"--stdlib=", JOINED, STDLIB},
    {"-cxx-isystem", EITHER, CLANGS_OWN}, {"-resource-dir", SEPARATE, CLANGS_OWN},
    {"--config", SEPARATE, CLANGS_OWN},
    {"--ld-path=", JOINED, DROP}, {"--start-no-unused-arguments", ALONE, CLANGS_OWN},
    {"--end-no-unused-arguments", ALONE, CLANGS_OWN}, {"-include-pch", SEPARATE, CLANGS_OWN},
    {"-MJ", EITHER, DEPENDENCY},
    /* Those with a rule of their own. */
    {"-std=", JOINED, STANDARD}, {"--std=", JOINED, STANDARD}, {"--std", SEPARATE, STANDARD},
    {"-ansi", ALONE, STANDARD}, {"-march=", JOINED, MACHINE}, {"-mcpu=", JOINED, MACHINE},
    {"-mtune=", JOINED, MACHINE}, {"-W", JOINED, WARNING}, {"-pedantic", ALONE, PASS},
    {"-pedantic-errors", ALONE, PEDANTIC}, {"--pedantic-errors", ALONE, PEDANTIC},
    {"-fpermissive", ALONE, PERMISSIVE}, {"-ffp-contract=", JOINED, FP_CONTRACT},
    {"-flto", ALONE, LTO}, {"-flto=", JOINED, LTO}, {"-fno-lto", ALONE, PASS},
    {"-fopenmp", ALONE, OPENMP}, {"-fopenmp=", JOINED, OPENMP}, {"-fno-openmp", ALONE, DROP},
    {"-fopenmp-simd", ALONE, PASS}, {"--param", SEPARATE, DROP}, {"--param=", JOINED, DROP},
    {"-specs=", JOINED, DROP}, {"--specs=", JOINED, DROP}, {"-specs", SEPARATE, DROP},
    {"-ffat-lto-objects", ALONE, DROP}, {"-fno-fat-lto-objects", ALONE, DROP},
    {"-fuse-linker-plugin", ALONE, DROP}, {"-fno-use-linker-plugin", ALONE, DROP},
    {"-fmessage-length=", JOINED, DROP},
    {"-dumpbase", SEPARATE, DROP}, {"-dumpdir", SEPARATE, DROP}, {"-dumpbase-ext", SEPARATE, DROP},
    {"-pass-exit-codes", ALONE, DROP}, {"-time", ALONE, DROP}, {"-fpch-preprocess", ALONE, DROP},
    {"-gstabs", JOINED, DEBUG}, {"-gcoff", JOINED, DEBUG}, {"-gxcoff", JOINED, DEBUG},
    {"-gvms", JOINED, DEBUG}, {"-imultilib", SEPARATE, DROP}, {"-imultiarch", SEPARATE, DROP},
    {"-g", ALONE, PASS}, {"-g0", ALONE, PASS}, {"-g1", ALONE, PASS}, {"-g2", ALONE, PASS},
    {"-g3", ALONE, PASS}, {"-ggdb0", ALONE, PASS}, {"-ggdb1", ALONE, PASS}, {"-ggdb2", ALONE, PASS},
    {"-ggdb3", ALONE, PASS}, {"-gdwarf-", JOINED, PASS}, {"-gz=", JOINED, PASS},
    /* No runtime in the bundle, or not clang's business. */
    {"-fopenacc", ALONE, NEVER_NATIVE}, {"-fopenacc-dim=", JOINED, NEVER_NATIVE},
    {"-fplugin=", JOINED, NEVER_NATIVE}, {"-fplugin-arg-", JOINED, NEVER_NATIVE},
    {"-fsanitize=", JOINED, NEVER_NATIVE}, {"-fprofile-generate", ALONE, NEVER_NATIVE},
    {"-fprofile-generate=", JOINED, NEVER_NATIVE}, {"-fprofile-use", ALONE, NEVER_NATIVE},
    {"-fprofile-use=", JOINED, NEVER_NATIVE}, {"-fprofile-arcs", ALONE, NEVER_NATIVE},
    {"-ftest-coverage", ALONE, NEVER_NATIVE}, {"--coverage", ALONE, NEVER_NATIVE},
    {"-coverage", ALONE, NEVER_NATIVE}, {"-fauto-profile", ALONE, NEVER_NATIVE},
    {"-p", ALONE, NEVER_NATIVE}, {"-profile", ALONE, NEVER_NATIVE},
    {"-traditional-cpp", ALONE, NEVER_NATIVE}, {"-traditional", ALONE, NEVER_NATIVE},
    {"-wrapper", SEPARATE, NEVER_NATIVE}, {"-aux-info", SEPARATE, NEVER_NATIVE},
    /* Questions: recorded answers, GCC's own answer, clang's. */
    {"-dumpmachine", ALONE, QUERY}, {"--dump-machine", ALONE, QUERY},
    {"-dumpversion", ALONE, QUERY}, {"-dumpfullversion", ALONE, QUERY},
    {"-dumpspecs", ALONE, QUERY}, {"-print-", JOINED, QUERY}, {"--print-", JOINED, QUERY},
    {"--help=", JOINED, ASK_GCC}, {"--target-help", ALONE, ASK_GCC},
    {"--completion=", JOINED, ASK_GCC}, {"-fself-test=", JOINED, ASK_GCC},
    {"-v", ALONE, PASS}, {"--verbose", ALONE, PASS}, {"--version", ALONE, PASS},
    {"--help", ALONE, PASS}, {"-###", ALONE, PASS},
    /* Only clang knows these; CMake asks, having seen that it is clang. */
    {"-print-resource-dir", ALONE, PASS}, {"--print-resource-dir", ALONE, PASS},
    {"-print-target-triple", ALONE, PASS}, {"--print-target-triple", ALONE, PASS},
    {"-print-effective-triple", ALONE, PASS}, {"--print-effective-triple", ALONE, PASS},
    {"-print-targets", ALONE, PASS}, {"--print-targets", ALONE, PASS},
    {"-print-runtime-dir", ALONE, PASS}, {"--print-runtime-dir", ALONE, PASS},
};

/* The entry for this word: its exact name, else the longest that it begins with. */
static const struct option *look_up(const char *word)
{
    const struct option *best = NULL;
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        const struct option *option = &OPTIONS[i];
        const char *rest = after(word, option->name);
        if (rest == NULL)
            continue;
        if (*rest == 0 && option->form != JOINED)
            return option;
        if ((option->form == JOINED || option->form == EITHER)
            && (best == NULL || length(option->name) > length(best->name)))
            best = option;
    }
    return best;
}
