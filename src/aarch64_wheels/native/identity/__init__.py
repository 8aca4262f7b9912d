"""What a build's interpreters are given in the container: nothing but the standard library.

Copied to `/aarch64-wheels/identity/_aarch64_wheels`, and reached in two ways: a `.pth` file in the
build environment imports `startup`, and does nothing unless a hook is running (see
`native/backend.py`); the other files are scripts. All of it runs on CPython 3.9 and later.
"""
