"""What each setting is, in a line: for `--help`, the documentation and the JSON schema."""

from __future__ import annotations

TEXTS = {
    "source": "directory, sdist, git URL, or requirement such as kiwisolver==1.4.7 (default: .)",
    "python": "interpreters: cp313, 3.13, 'cp3*', all (default: what source and image share)",
    "skip": "globs of targets to leave out: 'cp39-*', '*-musllinux_*'",
    "enable": "groups that globs alone do not select: pypy, graalpy, cpython-prerelease, all",
    "test_skip": "globs of targets whose wheels are not tested",
    "image": "manylinux2014 (default), manylinux_2_28, manylinux_2_34, musllinux_1_2, "
    "debian (assembled here, no registry), or any image reference",
    "mode": "native on arm64; on x86-64 accelerated (native tools, QEMU for the rest) or emulated "
    "(everything under QEMU); auto picks the first that the machine can",
    "backend": "who runs the build backend when accelerated: a native Python that answers as the "
    "target's, or the target's own, emulated; auto tries the first, then the second",
    "compiler": "what compiles when accelerated: native clang, with the image's GCC for what it "
    "can't do (auto), the image's GCC alone, or clang alone, where anything else is an error",
    "engine": "which container engine to use; auto takes the first that answers, none builds with "
    "the interpreters of an arm64 Linux machine",
    "output_dir": "where wheels, logs and report.json go (default: wheelhouse)",
    "jobs": "targets built at the same time (default: one for each core)",
    "cache_dir": "where downloads and the embedded image are kept",
    "no_cache": "make anew what the cache holds, and build environments",
    "config_file": "a TOML file with [tool.aarch64-wheels], instead of the source's",
    "sdist": "build the sdist too, and the wheels from it",
    "test_image": "test wheels in a container of this image instead of the one they are built in",
    "resume": "keep the wheels that an earlier run has finished, and build what is missing",
    "fail_fast": "begin nothing new once a target has failed",
    "time_limit": "minutes that each stage of a target may take; 0 for no limit (default)",
    "silence_limit": "minutes without any output after which a stage is ended "
    "(default: 60; 0: never)",
    "strip": "take symbols and debug information out of compiled files when wheels are repaired "
    "(not by a repair-wheel-command of the project's own)",
    "audit_levels": "levels of the audit's checks, error, warning or off: "
    "'debug-info=off licence=error'",
    "before_all": "command run once in each image before anything is built",
    "before_build": "command run before each wheel is built",
    "environment": "variables of the build, as bash reads assignments: 'A=1 B=\"$(nproc)\"'",
    "environment_pass": "names of this machine's variables that a build is given",
    "config_settings": "what the build backend is told: 'key=value key2=value2'",
    "build_frontend": "the arguments of `build` or `pip` that have a meaning here: "
    "'build; args: --no-isolation'",
    "build_verbosity": "taken for the sake of cibuildwheel's users: the log always holds "
    "everything",
    "repair_wheel_command": "command that makes a portable wheel of {wheel} in {dest_dir} "
    "(default: auditwheel)",
    "audit_requires": "packages that the audit command needs",
    "audit_command": "command that checks the finished {wheel}",
    "before_test": "command run before each wheel is tested",
    "test_command": "command that tests the installed wheel; none: wheels are not tested",
    "test_sources": "files and directories of the project that the tests are run with",
    "test_requires": "packages that the tests need",
    "test_extras": "extras of the wheel to install for the tests",
    "test_groups": "dependency groups (PEP 735) to install for the tests",
    "test_environment": "variables of the tests, as bash reads assignments",
    "dependency_versions": "constraints on build and test requirements: a file, or "
    "'packages: setuptools==80.9.0 ...'",
    "manylinux_image": "image of targets with glibc, for a project set up for cibuildwheel",
    "manylinux_pypy_image": "the same for PyPy",
    "musllinux_image": "image of targets with musl, for a project set up for cibuildwheel",
    "container_engine": "the engine and arguments for its containers: "
    "'docker; create_args: --cpus 2'",
    "dists": "wheels, sdists, and directories that hold them (default: the output directory)",
    "repository": "pypi (default), testpypi, a section of ~/.pypirc, or none for no index at all",
    "repository_url": "the URL of another index, as it takes uploads",
    "index_url": "where that index lists its files, if it is not found by itself",
    "trusted_publishing": "upload with the identity of the CI job instead of a secret; auto does "
    "so on PyPI and TestPyPI where no other secret is known",
    "attestations": "sign where the files come from (PEP 740); auto does so with Trusted "
    "Publishing on PyPI and TestPyPI",
    "allow_partial": "publish although targets have failed, or wheels are left out",
    "tag": "the release's tag, which must name the version of the files (default: the CI job's)",
    "github_release": "the tag of a GitHub release that gets the files, made if there is none; "
    "auto: the tag that the CI job runs for, if any",
    "replace": "exchange files of the GitHub release that differ",
    "comment": "keep a comment with the table of wheels on the pull request",
    "trust_config": "a private Sigstore: its ClientTrustConfig as a JSON file",
}
