"""Names of functions that say for which processors these are."""

from __future__ import annotations

import re

#: Words for features above ARMv8.0, as projects put them in names: `dot_f32_sve`, `conv_neondot`,
#: `put_8tap_neon_i8mm`, `gemm_armv8_2`. Not among them are words for what every aarch64 processor
#: has (`neon`, `asimd`, `armv8`, `arm64`), and what may as well be an algorithm or a type of data
#: (`aes`, `crypto`, `crc32`, `sha512`, `bf16`), except where both together name a feature.
_LATER = re.compile(
    r"""(?<![a-z0-9])(?:
        armv8_?[1-9]a? | armv9\w* | neoverse\w*
        | asimd(?:dp|hp|fhm|rdm) | neon_?(?:fp16|bf16)\w* | neon[a-z0-9]*(?:dot|half|fhm|i8mm)\w*
        | (?:arm|armv8|neon|arm64|aarch64)_?(?:ce|crypto)
        | sve\d*(?:p\d)? | sme\d*(?:p\d)? | dotprod | [su]dot | i8mm | [su]mmla | bfdot | bfmmla
        | fp16arith | fp16fml | fhm | fcma | pmull | mops | lse
    )(?![a-z0-9])""",
    re.VERBOSE,
)
_BETWEEN = re.compile(r"[^a-z0-9]+")


def names_variant(name: str) -> bool:
    """Whether a name says that code is one of several variants, for processors with a feature.

    Somebody else chooses between them, perhaps Python code. Only its source can tell how.
    """
    return _LATER.search(_BETWEEN.sub("_", name.lower())) is not None
