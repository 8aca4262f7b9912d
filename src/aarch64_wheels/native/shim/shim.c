/* The shim: native clang, lld and LLVM's ar under the names of an aarch64 image's compilers.

   Reached by name, through links: those in /aarch64-wheels/compilers (cc, gcc, g++, c++, cpp, ld,
   ar, ranlib, gfortran, triplet and versioned names; shim.conf says which name plays which role
   and where the image's own program is), and ld.lld in /native/bin, by which clang links.

   A compiler call goes to clang with GCC's manners. What clang cannot serve goes to the image's
   own compiler under QEMU (a fallback): at once where the call shows it, or after clang's messages
   hint at it. Every call leaves a line in /aarch64-wheels/calls. */

#ifndef NATIVE
#define NATIVE "/native"
#endif
#ifndef WORK
#define WORK "/aarch64-wheels"
#endif
#define ZIG NATIVE "/zig/zig"

#include "system.h"
#include "text.h"
#include "conf.h"
#include "arguments.h"
#include "options.h"
#include "call.h"
#include "native.h"
#include "refusals.h"
#include "reasons.h"
#include "verdict.h"
#include "run.h"
#include "record.h"
#include "queries.h"
#include "binutils.h"
#include "fallback.h"
#include "compile.h"
#include "linker.h"
#include "archiver.h"

int shim_main(int argc, char **argv, char **envp)
{
    const char *name = argc > 0 ? base_name(argv[0]) : "";
    long began = milliseconds();
    struct conf conf = {0};
    struct call call = {.conf = &conf, .argv = argv + (argc > 0), .environment = envp};

    if (equal(name, "ld.lld"))
        link_for_clang(&call);
    if (!load_conf(&conf, WORK "/shim.conf")) {
        complain("this container was not prepared: no ", WORK, "/shim.conf");
        return 127;
    }
    if (!find_tool(&conf, name, &call.tool)) {
        complain("no compiler of the image is called ", name, "");
        return 127;
    }
    if (equal(call.tool.role, "ar") || equal(call.tool.role, "ranlib"))
        archive(&call, began);
    if (equal(call.tool.role, "ld"))
        link_directly(&call, began);

    understand(&call);
    if (call.query && answer(&call))
        return 0;
    if (is_refused(&call))
        finish(&call, &(struct result){"native", NULL, 1 << 8, began});
    if (call.query || call.ask_gcc)
        become(call.tool.real, original(&call), envp);
    compile(&call, began);
}
