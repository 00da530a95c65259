/* What the library sees of the environment. */
#define _GNU_SOURCE
#include "boundary.h"

#if defined(__linux__)
#include <stdlib.h>
#include <string.h>

/* The linker sends every getenv of the library here, the runtime's own as well (--wrap). The
 * runtime takes settings from DOTNET_*: some of them end the process at the first call, and others
 * write files where the environment says. Its settings are built in, but for the range of its heap,
 * which is smaller where there are not so many addresses. And in a host that has more rights than
 * who started it nothing that came with the start counts. */
char *__wrap_getenv(const char *name);

char *__wrap_getenv(const char *name)
{
  static const char *const prefixes[] = {"DOTNET_", "COMPlus_", "CORECLR_"};
  if (strcmp(name, "DOTNET_GCRegionRange") == 0)
    return (char *)sessions_heap_range();
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
      return NULL;
  }
  return secure_getenv(name);
}

#endif
