"""Answers of several images' GCCs, in the form each distribution's gives them.

Those of the embedded image are its own; no other image was at hand when they were written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aarch64_wheels.native.gcc_answers import Gcc

if TYPE_CHECKING:
    from pathlib import Path

DEVTOOLSET = "/opt/rh/devtoolset-10/root/usr/lib/gcc/aarch64-redhat-linux/10"
EMBEDDED = "/opt/gcc-10/usr/bin/../lib/gcc/aarch64-linux-gnu/10"
OPTIONS = """\
The following options are language-independent:
  -Wall                       Enable most warning messages.
  -Wimplicit-fallthrough=<0,5> Warn when a switch case falls through.
  -Wlogical-op                Warn when a logical operator is suspicious.
  -Wformat=<0,2>              Warn about format string anomalies.
  -fabi-version=              The version of the C++ ABI in use.
  -fipa-pta                   Perform interprocedural points-to analysis.
  -funsigned-bitfields        When "signed" or "unsigned" is not given ...
  -fwrapv                     Assume signed arithmetic overflow wraps around.
  -ftemplate-depth-           Same as -ftemplate-depth=.
  -fkeep-inline-functions     Generate code for functions even if they are inlined.
  -std=gnu++17                Conform to the ISO 2017 C++ standard with GNU extensions.
  -mtls-dialect=              Specify TLS dialect.
  --param=x=<0,1>             A parameter.
"""
CLANG_OPTIONS = "-fwrapv\twrap\n-funsigned-bitfields\n-std=\n-mtls-dialect=\n-fapple-kext\tKernel\n"
CLANG_WARNINGS = "-Wall\n-Wno-all\n-Wimplicit-fallthrough\n-Wformat\n-Wformat=2\n-Wshorten\n-Wno-\n"
LD_HELP = """\
Usage: ld [options] file...
Options:
  -a KEYWORD                  Shared library control for HP/UX compatibility
  -e ADDRESS, --entry ADDRESS Set start address
  --warn-once                 Warn only once per undefined symbol
  -z relro                    Create RELRO program header (default)
"""
LD_VERBOSE = 'SEARCH_DIR("=/usr/local/lib"); SEARCH_DIR("/lib"); SEARCH_DIR("/lib");\n'


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image's GCC: how it would link, and what it says of itself."""

    triplet: str
    version: str
    libgcc: str
    link: str
    c: str = "#define __STDC_VERSION__ 201710L\n"
    cxx: str = "#define __cplusplus 201402L\n"
    on: str = "  -moutline-atomics           \t\t[enabled]\n"

    @property
    def gcc(self) -> Gcc:
        return Gcc(
            answers={
                "-dumpmachine": f"{self.triplet}\n",
                "-dumpversion": f"{self.version}\n",
                "-print-libgcc-file-name": f"{self.libgcc}/libgcc.a\n",
                "link": f"Target: x\n /x/cc1 -quiet\n {self.link}\nCOLLECT_GCC=x\n",
                "c macros": self.c,
                "c++ macros": self.cxx,
                "on": self.on,
                "options": OPTIONS,
                "architectures": "error: x\nnote: valid arguments are: armv8-a native\n",
                "extensions": "note: valid arguments are: fp sve;\n",
                "processors": "note: valid arguments are: generic cortex-a72; did you mean x?\n",
                "compiler proper": "cc1\n",
                "linker options": LD_HELP,
                "linker directories": LD_VERBOSE,
                "clang warnings": CLANG_WARNINGS,
                "clang options": CLANG_OPTIONS,
            }
        )


MANYLINUX2014 = Image(
    triplet="aarch64-redhat-linux",
    version="10",
    libgcc=DEVTOOLSET,
    link="/opt/rh/devtoolset-10/root/usr/libexec/gcc/aarch64-redhat-linux/10/collect2 -plugin /p.so"
    " --build-id --no-add-needed --eh-frame-hdr --hash-style=gnu -dynamic-linker"
    " /lib/ld-linux-aarch64.so.1 -X -EL -maarch64linux -o probe /usr/lib/../lib64/crt1.o"
    f" -L{DEVTOOLSET} -L{DEVTOOLSET}/../../../../lib64 -L/lib/../lib64 -L/usr/lib/../lib64"
    " /tmp/x.o -lstdc++ -lm -lgcc --push-state --as-needed -lgcc_s --pop-state -lc",
)
MANYLINUX_2_28 = Image(
    triplet="aarch64-redhat-linux",
    version="14",
    libgcc="/opt/rh/gcc-toolset-14/root/usr/lib/gcc/aarch64-redhat-linux/14",
    link="/opt/rh/gcc-toolset-14/root/usr/libexec/gcc/aarch64-redhat-linux/14/collect2 --build-id"
    " --no-add-needed --eh-frame-hdr --hash-style=gnu -X -o probe -L/lib/../lib64 -lgcc"
    " --push-state --as-needed -lgcc_s --pop-state",
    cxx="#define __cplusplus 201703L\n",
    c="#define __STDC_VERSION__ 201710L\n#define __ARM_FEATURE_PAC_DEFAULT 1\n",
)
DEBIAN = Image(
    triplet="aarch64-linux-gnu",
    version="12",
    libgcc="/usr/lib/gcc/aarch64-linux-gnu/12",
    link='/usr/lib/gcc/aarch64-linux-gnu/12/collect2 "-plugin-opt=x y" --build-id --eh-frame-hdr'
    " --hash-style=gnu --as-needed -X -EL --fix-cortex-a53-843419 -pie -o probe"
    " -L/usr/lib/gcc/aarch64-linux-gnu/12 -lgcc --push-state --as-needed -lgcc_s --pop-state",
    c="#define __STDC_VERSION__ 201710L\n#define __PIE__ 2\n",
    cxx="#define __cplusplus 201703L\n",
)
ALPINE = Image(
    triplet="aarch64-alpine-linux-musl",
    version="15.2.0",
    libgcc="/usr/lib/gcc/aarch64-alpine-linux-musl/15.2.0",
    link="/usr/libexec/gcc/aarch64-alpine-linux-musl/15.2.0/collect2 --eh-frame-hdr"
    " --hash-style=gnu --as-needed -dynamic-linker /lib/ld-musl-aarch64.so.1 -pie -z now -z relro"
    " -o probe -L/usr/lib/gcc/aarch64-alpine-linux-musl/15.2.0/../../.. -lgcc",
    c="#define __STDC_VERSION__ 202311L\n#define __PIE__ 2\n#define __SSP_STRONG__ 3\n",
    cxx="#define __cplusplus 201703L\n",
    on="  -moutline-atomics           [disabled]\n  -fstack-clash-protection    [enabled]\n",
)
EMBEDDED_IMAGE = Image(
    triplet="aarch64-linux-gnu",
    version="10",
    libgcc=EMBEDDED,
    link=f"{EMBEDDED}/collect2 -plugin {EMBEDDED}/liblto_plugin.so --sysroot=/opt/gcc-10 --build-id"
    " --eh-frame-hdr --hash-style=gnu --as-needed -X -EL --fix-cortex-a53-843419 -pie -o probe"
    f" -L{EMBEDDED} -L{EMBEDDED}/../../.. -L/opt/gcc-10/lib /tmp/x.o -lstdc++ -lm -lgcc -lgcc_eh"
    " -lc -lgcc -lgcc_eh",
    c="#define __STDC_VERSION__ 201710L\n#define __PIE__ 2\n",
)
OLD = Image(
    triplet="aarch64-linux-gnu", version="4.9.2", libgcc="/usr/lib/gcc/a/4.9", link="", on=""
)
IMAGES = {
    "manylinux2014": MANYLINUX2014,
    "manylinux_2_28": MANYLINUX_2_28,
    "debian": DEBIAN,
    "alpine": ALPINE,
    "embedded": EMBEDDED_IMAGE,
    "old": OLD,
}


def write_program(path: Path, text: str = "") -> None:
    """Write a script of the shell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
