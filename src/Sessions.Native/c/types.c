/* The calls that need neither a store nor the runtime. */
#include "boundary.h"
#include "sessions.h"

#include <stdlib.h>
#include <string.h>

SESSION_API const char *session_version(void)
{
  return SESSION_VERSION_STRING;
}

SESSION_API uint32_t session_abi_version(void)
{
  return SESSION_ABI_VERSION;
}

SESSION_API int32_t session_supports(const char *feature)
{
  static const char *const features[] = {
#include "features.inc"
  };
  if (feature == NULL)
    return 0;
  for (size_t i = 0; i < sizeof features / sizeof features[0]; i++) {
    if (strcmp(feature, features[i]) == 0)
      return 1;
  }
  return 0;
}

SESSION_API const char *session_status_name(session_status_t status)
{
#define NAME(status) case status: return #status
  switch (status) {
    NAME(SESSION_OK);
    NAME(SESSION_E_INTERNAL);
    NAME(SESSION_E_INVALID_ARGUMENT);
    NAME(SESSION_E_INVALID_HANDLE);
    NAME(SESSION_E_INVALID_UTF8);
    NAME(SESSION_E_INVALID_JSON);
    NAME(SESSION_E_VERSION);
    NAME(SESSION_E_UNSUPPORTED);
    NAME(SESSION_E_MISUSE);
    NAME(SESSION_E_FORKED);
    NAME(SESSION_E_CLOSED);
    NAME(SESSION_E_NO_MEMORY);
    NAME(SESSION_E_NOT_FOUND);
    NAME(SESSION_E_EXISTS);
    NAME(SESSION_E_DELETED);
    NAME(SESSION_E_HAS_CHILDREN);
    NAME(SESSION_E_ACCESS_DENIED);
    NAME(SESSION_E_CONFLICT);
    NAME(SESSION_E_INVALID_TRANSITION);
    NAME(SESSION_E_LIMIT);
    NAME(SESSION_E_QUEUE_FULL);
    NAME(SESSION_E_DECISION_NEEDED);
    NAME(SESSION_E_TIMEOUT);
    NAME(SESSION_E_BUSY);
    NAME(SESSION_E_CANCELLED);
    NAME(SESSION_E_LOCKED);
    NAME(SESSION_E_LOCK_LOST);
    NAME(SESSION_E_PROCESSING);
    NAME(SESSION_E_WAITING_PERMISSION);
    NAME(SESSION_E_IO);
    NAME(SESSION_E_NO_SPACE);
    NAME(SESSION_E_POISONED);
    NAME(SESSION_E_CORRUPT);
    NAME(SESSION_E_READ_ONLY);
    NAME(SESSION_E_NOT_LOCAL);
  default:
    return "unknown";
  }
#undef NAME
}

SESSION_API void session_string_free(char *string)
{
  free(string);
}

SESSION_API void session_options_init(void *options, uint32_t size)
{
  if (options == NULL || size < sizeof size)
    return;
  memset(options, 0, size);
  memcpy(options, &size, sizeof size);
}
