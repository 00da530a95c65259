#!/bin/sh
# Prints the .NET runtime identifier of what a C compiler makes: linux-x64, linux-musl-arm64, osx-arm64.
#
#   tools/rid.sh CC
#
# Which C library that is, the compiler's own headers say. The loader of another one may lie beside it: Debian's
# package musl puts /lib/ld-musl-* into a system of glibc.
set -eu

case $(uname -s) in
    Darwin) system=osx ;;
    *)
        system=linux
        printf '#include <features.h>\n#ifndef __GLIBC__\n"musl"\n#endif\n' | "$1" -E -P -x c - |
            grep -q '^"musl"$' && system=linux-musl
        ;;
esac
case $(uname -m) in
    aarch64 | arm64) echo "$system-arm64" ;;
    *) echo "$system-x64" ;;
esac
