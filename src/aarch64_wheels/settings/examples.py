"""Examples of the harder settings, as they stand in `[tool.aarch64-wheels]`, for the reference."""

from __future__ import annotations

EXAMPLES = {
    "python": (
        'python = ["cp311", "cp313"]',
        'python = "cp3*"',
        'python = ["3.13", "pp311"]',
    ),
    "skip": ('skip = "cp39-* *-musllinux_*"', 'skip = ["cp3{9,10}-*"]'),
    "enable": ('enable = ["pypy", "cpython-prerelease"]',),
    "test-skip": ('test-skip = "*-musllinux_*"',),
    "image": ('image = "manylinux_2_28"', 'image = "registry.example/wheels/manylinux_2_28:1"'),
    "test-image": ('test-image = "debian:trixie"',),
    "time-limit": ("time-limit = 45",),
    "audit-levels": (
        'audit-levels = ["debug-info=off", "licence=error"]',
        'audit-levels = { debug-info = "off", licence = "error" }',
    ),
    "before-all": (
        'before-all = "yum install -y libffi-devel"',
        'before-all = ["dnf install -y cmake", "sh {project}/tools/zlib.sh"]',
    ),
    "before-build": ('before-build = "python {package}/tools/generate.py"',),
    "environment": (
        'environment = \'CFLAGS="-O2 $CFLAGS" JOBS="$(nproc)"\'',
        'environment = { CFLAGS = "-O2 $CFLAGS", PATH = "/opt/tools/bin:$PATH" }',
    ),
    "environment-pass": ('environment-pass = ["SETUPTOOLS_SCM_PRETEND_VERSION", "RELEASE"]',),
    "config-settings": (
        'config-settings = "setup-args=-Dblas=openblas compile-args=-j2"',
        'config-settings = { setup-args = ["-Dblas=openblas", "-Dlapack=openblas"] }',
    ),
    "build-frontend": (
        'build-frontend = "build; args: --no-isolation"',
        'build-frontend = { name = "build", args = ["--no-isolation"] }',
    ),
    "repair-wheel-command": (
        'repair-wheel-command = "auditwheel repair --exclude libcuda.so.1 -w {dest_dir} {wheel}"',
    ),
    "audit-command": ('audit-command = "abi3audit --strict {abi3_wheel}"',),
    "test-command": (
        'test-command = "pytest {project}/tests"',
        'test-command = ["python -m thing --selfcheck", "pytest --pyargs thing"]',
    ),
    "test-sources": ('test-sources = ["tests", "pyproject.toml"]',),
    "test-requires": ('test-requires = ["pytest>=8", "hypothesis; python_version >= \'3.10\'"]',),
    "test-extras": ('test-extras = ["test", "cli"]',),
    "test-environment": ('test-environment = { OMP_NUM_THREADS = "1" }',),
    "dependency-versions": (
        'dependency-versions = "tools/constraints.txt"',
        'dependency-versions = { packages = ["setuptools==80.9.0"] }',
    ),
    "container-engine": (
        'container-engine = "docker; create_args: --cpus 2"',
        'container-engine = { name = "docker", create-args = ["--memory", "4g"] }',
    ),
}
