#!/usr/bin/env bash
# Writes include/sessions_abi.json anew from the headers, as Clang reads them. Build the library
# afterwards: it carries the text.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
SESSIONS_UPDATE_ABI=1 dotnet run --project tests/Sessions.Native.Tests -v q -- \
    -method Sessions.Native.Tests.Abi.AbiJsonTests.TheCommittedDescriptionIsThatOfTheHeaders
