"""Names that say for which processors code is: of functions, and of files."""

from __future__ import annotations

import re

#: Words for features of the architecture, as projects put them in names: `dot_f32_sve`,
#: `AES_ARMV8_encrypt`, `put_8tap_neon_i8mm`. What may as well be an algorithm (`aes`, `crc32`) is
#: not among them.
_WORDS = re.compile(
    r"armv[89]\w*|asimd(dp|hp|fhm|rdm)?|neon\w*|sve\d*|sme\d*|dotprod|i8mm|pmull|neoverse\w*"
)


def names_variant(name: str) -> bool:
    """Whether a name says that code is one of several variants, for processors with a feature.

    Somebody else chooses between them: a caller, or Python code for a whole file. Only its source
    can tell how.
    """
    return any(_WORDS.fullmatch(word) for word in re.split(r"[^a-z0-9]+", name.lower()))
