"""A wheel's bill of materials: what compiled each object in it, from what source, with what tools.

`describe` gives the records of its objects, `make_bill` the document, `added_to` what of it is put
into the wheel.
"""

from aarch64_wheels.bill.document import NAME, PREFIX, Bill, added_to, make_bill
from aarch64_wheels.bill.objects import describe
from aarch64_wheels.bill.origin import Compilers, Origin, built_by, target_tools

__all__ = [
    "NAME",
    "PREFIX",
    "Bill",
    "Compilers",
    "Origin",
    "added_to",
    "built_by",
    "describe",
    "make_bill",
    "target_tools",
]
