/* Which calls only the image's own compiler can serve: known beforehand, or read from what clang
   said. A probe that is meant to fail must not cost a second try, so errors that every compiler
   would report are final. */

static const char *reason_before(const struct call *call)
{
    if (equal(call->tool.role, "fortran"))
        return "fortran";
    if (call->foreign)
        return call->foreign;
    if (call->openmp && call->sources)
        return "openmp";
    return NULL;
}

struct rule { const char *text, *reason; };

/* Texts of clang's errors that GCC would not give. A `reason` that ends with a blank takes the
   name that the message quotes. */
static const struct rule HINTS[] = {
    {"function definition is not allowed here", "nested-function"},
    {"fields must have a constant size", "vla-in-struct"},
    {"variable-sized object may not be initialized", "vla-initializer"},
    {"the clang compiler does not support", "unsupported-option "},
    {"unknown register name", "register "},
    {"global register", "global-register"},
    {"instruction mnemonic", "assembler"},
    {"instruction requires", "assembler"},
    {"invalid operand for instruction", "assembler"},
    {"unknown directive", "assembler"},
    {"unexpected token in", "assembler"},
    {"operand in inline asm", "inline-asm"},
    {"inline assembly", "inline-asm"},
    {" in asm", "inline-asm"},
    {"asm operand", "inline-asm"},
    {"asm constraint", "inline-asm"},
    {" attribute", "attribute "},
    {"always_inline function", "target-feature"},
    {"target feature", "target-feature"},
    {"constant expression", "constant-expression"},
    {"compile-time constant", "constant-expression"},
    {"is outside the range of valid values", "constant-expression"},
    {"call to non-constexpr", "constant-expression"},
    {"'main' must return", "main-return-type"},
    {"AST file", "precompiled-header"},
    {"PCH file", "precompiled-header"},
    {"precompiled", "precompiled-header"},
    {"cannot compile this", "unsupported-code"},
    {"is neither visible in the template definition", "two-phase-lookup"},
    {"undefined symbol: __gcov_", "gcov-runtime"},
    {"undefined symbol: __asan_", "sanitizer-runtime"},
    {"undefined symbol: __ubsan_", "sanitizer-runtime"},
    {"undefined symbol: __tsan_", "sanitizer-runtime"},
    {"frontend command failed", "clang-crash"},
    {"LLVM ERROR", "clang-crash"},
};

/* Errors that any compiler or linker reports. What stands in no table is tried again. */
static const char *const GENUINE[] = {
    "file not found", "o such file or directory", "no input files", "undeclared", "expected ",
    "unknown type name", "undefined symbol", "unable to find library", "cannot open",
    "duplicate symbol", "with a negative size", "has negative", "array is too large",
    "is not a pointer", "called object type", "too few ", "too many ", "unterminated",
    "missing terminating", "invalid suffix", "invalid preprocessing directive",
    "recompile with -fPIC", "Is a directory", "Permission denied", "unable to open output file",
    "implicit declaration of", "subscripted value", "must use '", "should return a value",
    "should not return", "duplicate member", "duplicate case", "extraneous",
    "indirection requires", "language not recognized", "cannot specify -o",
    "only allowed with '-E'", "unknown file type", "No space left on device", "type specifier",
    "cannot be specified on this target", "expression of scalar type",
};

/* Errors that GCC reports too, but for code that only one of the compilers takes: C++ templates,
   libstdc++ and clang of different years. Final for a probe; worth a second try for a project's
   own file, which would stop the build. */
static const char *const NEARLY_GENUINE[] = {
    "no member named", "no type named", "no template named", "redefinition of",
    "conflicting types", "incompatible", "no matching ", "no viable ", "cannot initialize",
    "cannot convert", "assigning to", "passing '", "returning '", "initializing '",
    "static assertion failed", "static_assert", "incomplete type", "invalid operands", "redeclar",
    "invalid application of", "member reference", "not assignable", "deleted function",
    "is a private member", "is a protected member", "is ambiguous", "different type",
    "not a type", "is not a class",
};

/* How autoconf, CMake, Meson, setuptools, waf and SCons call what they try. */
static int is_probe(const struct call *call)
{
    static const char *const PLACES[] = {"CMakeScratch", "CMakeTmp", "meson-private", "conf_check_",
                                         "sconf_temp", "try_compile"};
    static const char *const NAMES[] = {"conftest", "_configtest", "testfile.", "flagcheck"};
    const char *input = call->first_input ? call->first_input : "";
    char cwd[4096] = "";
    CALL(SYS_getcwd, cwd, sizeof cwd, 0);
    for (size_t i = 0; i < COUNT(PLACES); i++)
        if (find(input, length(input), PLACES[i]) || find(cwd, length(cwd), PLACES[i]))
            return 1;
    for (size_t i = 0; i < COUNT(NAMES); i++)
        if (after(base_name(input), NAMES[i]))
            return 1;
    return 0;
}

/* What `line` quotes for the n-th time, or "". */
static const char *quoted(const char *line, size_t n, int nth)
{
    const char *end = line + n, *open = line, *close;
    for (;; open = close + 1) {
        while (open < end && *open != '\'')
            open++;
        for (close = open + 1; close < end && *close != '\'';)
            close++;
        if (close >= end)
            return "";
        if (--nth == 0)
            return copy(open + 1, (size_t)(close - open - 1));
    }
}

static const char *hint_of(const char *line, size_t n)
{
    for (size_t i = 0; i < COUNT(HINTS); i++)
        if (find(line, n, HINTS[i].text)) {
            const char *reason = HINTS[i].reason;
            return ends_with(reason, " ") ? join(reason, quoted(line, n, 1), "") : reason;
        }
    return NULL;
}

static int is_genuine(const struct call *call, const char *line, size_t n)
{
    for (size_t i = 0; i < COUNT(GENUINE); i++)
        if (find(line, n, GENUINE[i]))
            return 1;
    for (size_t i = 0; i < COUNT(NEARLY_GENUINE); i++)
        if (find(line, n, NEARLY_GENUINE[i]))
            return is_probe(call);
    return 0;
}
