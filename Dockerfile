# An accelerated image: any aarch64 image with native x86-64 tools in front of its own.
#
#   aarch64-wheels image accelerate REF --tag TAG
#
# does all of this. Without the command's help, in a checkout:
#
#   make native
#   docker build --platform linux/arm64 --build-arg BASE=REF --tag TAG --file Dockerfile build
#
# (with --build-arg BASE_USER=NAME if REF does not run as root)
#
# where `make native` exports the native tools to build/native, and the machine is an x86-64 one
# that runs aarch64 programs (`aarch64-wheels doctor --fix`). Builds in the image, by cibuildwheel
# (CIBW_MANYLINUX_AARCH64_IMAGE=TAG) or by `docker build --platform linux/arm64`, then run compilers,
# linkers, cmake, ninja, uv and auditwheel natively. Entrypoint, variables and labels stay the base's.
ARG BASE
FROM ${BASE}
ARG BASE_USER=0:0
USER 0:0
COPY native /native
# Plain ARMv8.0: quick under QEMU, and a wheel that uses later instructions fails in its test.
ENV QEMU_CPU=cortex-a72
# None of these runs a shell, which would be emulated.
RUN ["/native/python/tools/bin/python3", "/native/loader.py"]
RUN ["/native/python/tools/bin/python3", "/native/installer.py"]
RUN ["/native/python/tools/bin/python3", "/native/configure.py"]
ENV PATH=/aarch64-wheels/compilers:/native/bin:${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
USER ${BASE_USER}
